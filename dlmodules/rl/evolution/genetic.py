"""A genetic algorithm over the weights of a policy."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.rl.evolution.population import PopulationAgent
from dlmodules.validation.arguments import check_fractions, check_positive, require_at_least


class GeneticAlgorithm(PopulationAgent):
    """Breeds policies: the best of a generation go on as they are, and copies of the better ones with random changes.

    The genes of a policy are its weights. Everyone plays anew in each generation, those that go on too, so that a lucky
    return is forgotten. Then the best ones, the elite, play further training episodes; the policy that acts is the best
    in these alone, since the returns by which they were chosen flatter all of them. It is the first that stays where
    returns are alike, as they are once many policies reach the most that there is.

    Paper: Such et al. 2017, Deep Neuroevolution, arXiv:1712.06567.
    Books: vasilev 9.1.

    Logged besides what every agent logs: ``train/generation``, ``train/fitness_mean``, ``train/fitness_best`` and
    ``train/fitness_std`` of the candidates' mean returns; ``train/elite_fitness``, the mean return of the policy that
    acts in its further episodes; ``train/sigma``.

    Args:
        hidden_dims: units of the hidden layers of the default network; none for a linear policy.
        network: maps observations ``(B, ...)`` to ``(B, num_actions)`` or ``(B, action_dim)``; None builds a
            ``PolicyNetwork``. The first generation is its weights with random changes.
        sigma: standard deviation of the change of each weight, above 0.
        population_size: policies of a generation, 2 or more.
        parents: the best so many of a generation have offspring, all alike.
        elites: the best so many go on unchanged, and are the candidates for the policy that acts; at most ``parents``.
        elite_episodes: further episodes that each of the elite plays.
        crossover: the probability, in [0, 1], that a child takes each weight from either of two parents.
        episodes_per_candidate: whole episodes that each policy plays; its fitness is the mean return.
        common_seeds: all policies of a generation play the same episodes, which change from generation to generation:
            so they differ by what they do, and not by their luck. False gives each its own.
        normalize_observations: give the network observations of mean 0 and deviation 1, by what all policies saw.
        **kwargs: those of ``PopulationAgent``.

    Raises:
        UserError: more elites than parents, more parents than policies, or a number out of range.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        "population_size": 4,
        "parents": 2,
        "elites": 1,
        "elite_episodes": 1,
        "generations_per_epoch": 8,
    }
    generation: Tensor
    genes: Tensor

    def __init__(
        self,
        hidden_dims: Sequence[int] = (16,),
        network: nn.Module | None = None,
        sigma: float = 0.2,
        population_size: int = 32,
        parents: int = 8,
        elites: int = 2,
        elite_episodes: int = 5,
        crossover: float = 0.0,
        episodes_per_candidate: int = 1,
        common_seeds: bool = True,
        normalize_observations: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            hidden_dims=hidden_dims,
            network=network,
            population_size=population_size,
            episodes_per_candidate=episodes_per_candidate,
            common_seeds=common_seeds,
            normalize_observations=normalize_observations,
            **kwargs,
        )
        check_positive(sigma=sigma)
        check_fractions(crossover=crossover)
        require_at_least(1, parents=parents, elites=elites, elite_episodes=elite_episodes)
        if not elites <= parents <= population_size:
            raise UserError(
                f"elites is {elites}, parents {parents} and population_size {population_size}: the elites are among the"
                " parents, and these among the population"
            )
        self.sigma, self.parents, self.elites = sigma, parents, elites
        self.elite_episodes, self.crossover = elite_episodes, crossover
        self._elite_fitness: Tensor | None = None
        self.register_buffer("generation", torch.zeros((), dtype=torch.int64))
        # The parents, best first, the elite by its further episodes. Before the first generation all are the network's
        # own weights.
        self.register_buffer("genes", self.weights.repeat(parents, 1))

    @override
    def ask(self) -> Tensor:
        """Return the elite as it is, and then children of the parents."""
        kept = self.elites if self.generation else 0
        number = self.population_size - kept
        first, second = torch.randint(self.parents, (2, number), generator=self.generator).to(self.genes.device)
        children = self.genes[first]
        if self.crossover > 0:
            mixed = torch.rand(number, 1, generator=self.generator) < self.crossover
            other = torch.rand(children.shape, generator=self.generator) < 0.5
            children = torch.where((mixed & other).to(children.device), self.genes[second], children)
        noise = torch.randn(children.shape, generator=self.generator).to(children)
        return torch.cat([self.genes[:kept], children + self.sigma * noise])

    @override
    @torch.no_grad()
    def collect(self) -> None:
        """Play a generation, and its elite once more. Who has not played all of it, is not learnt from."""
        super().collect()
        if self.candidates is not None and self.fitness is not None:
            self._judge_elite(self.candidates, self.fitness)
        self._seen = []

    def _judge_elite(self, candidates: Tensor, fitness: Tensor) -> None:
        """Let the elite play with the statistics of observations by which it would act, and these stay as they are."""
        before = deepcopy(self.normalizer.state_dict())
        self.note_observations()
        best = fitness.argsort(descending=True, stable=True)[: self.elites]
        self._elite_fitness = self.play(candidates[best], self.elite_episodes)
        if self._elite_fitness is None:
            self.fitness = None
            self.normalizer.load_state_dict(before)  # who was judged with these acts on

    @override
    def tell(self, candidates: Tensor, fitness: Tensor) -> dict[str, Tensor]:
        assert self._elite_fitness is not None
        order = fitness.argsort(descending=True, stable=True)[: self.parents]
        ranks = self._elite_fitness.argsort(descending=True, stable=True)
        # By more episodes than the others: where returns are alike, the first stays, and that is to be the best.
        order[: self.elites] = order[: self.elites][ranks]
        self.genes.copy_(candidates[order])
        self.set_weights(self.genes[0])
        self.generation += 1
        return {
            "generation": self.generation.float(),
            "elite_fitness": self._elite_fitness.max(),
            "sigma": torch.tensor(self.sigma),
        }
