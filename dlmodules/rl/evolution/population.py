"""Base of the agents that learn by populations of policies."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.errors import UserError
from dlmodules.protocols import ActsInEpisodes, PlaysEpisodes
from dlmodules.rl.base import Agent
from dlmodules.rl.evolution.policies import BoundedActions, PolicyNetwork
from dlmodules.rl.evolution.stacked import StackedNetworks, check_stackable, check_vmap
from dlmodules.rl.normalization import ObservationNormalizer
from dlmodules.rl.requirements import require_finite_observations
from dlmodules.rl.spaces import check_outputs, example_inputs_of, example_observation
from dlmodules.training.one_step import placeholder_optimizer
from dlmodules.validation.arguments import require_at_least


class PopulationAgent(Agent):
    """Plays whole episodes with each of many policies, and learns from nothing but the returns.

    One ``training_step`` is one generation: the candidates of ``ask`` play their episodes side by side in the training
    environments, and ``tell`` is given their mean returns. What acts, and is evaluated, is ``network``. All
    environment steps of all candidates count. Where the budget ends within a generation, that one is not learnt from.

    A child defines ``ask`` and ``tell``, and sets the weights of the network by ``set_weights``.

    Logged besides what every agent logs: ``train/generation``, ``train/fitness_mean``, ``train/fitness_best`` and
    ``train/fitness_std`` of the candidates' mean returns, and what ``tell`` returns.

    Args:
        observation_dim: numbers in an observation.
        num_actions: number of actions, where they are numbered: that of the largest output is done.
        action_dim: numbers in an action instead, where actions are continuous: outputs between the bounds, by tanh.
        hidden_dims: units of the hidden layers of the default network; none for a linear policy.
        network: maps observations ``(B, ...)`` to ``(B, num_actions)`` or ``(B, action_dim)``; None builds a
            ``PolicyNetwork``.
        population_size: candidates of a generation.
        episodes_per_candidate: whole episodes that each of them plays; its fitness is the mean return.
        common_seeds: all candidates of a generation play the same episodes, which change from generation to generation:
            so they differ by what they do, and not by their luck. False gives each its own.
        generations_per_epoch: generations between two validations.
        normalize_observations: give the network observations of mean 0 and deviation 1, by what all candidates saw.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"population_size": 4, "generations_per_epoch": 8}
    plays_whole_episodes: ClassVar[bool] = True

    def __init__(
        self,
        observation_dim: int = 4,
        num_actions: int = 2,
        action_dim: int | None = None,
        hidden_dims: Sequence[int] = (),
        network: nn.Module | None = None,
        population_size: int = 32,
        episodes_per_candidate: int = 1,
        common_seeds: bool = True,
        generations_per_epoch: int = 5,
        normalize_observations: bool = False,
    ) -> None:
        super().__init__(steps_per_iteration=1)
        save_portable_hyperparameters(self)
        require_at_least(2, population_size=population_size)
        require_at_least(1, episodes_per_candidate=episodes_per_candidate, generations_per_epoch=generations_per_epoch)
        self.population_size, self.episodes_per_candidate = population_size, episodes_per_candidate
        self.common_seeds, self.iterations_per_epoch = common_seeds, generations_per_epoch
        self.outputs = num_actions if action_dim is None else action_dim
        self.network = PolicyNetwork(observation_dim, self.outputs, hidden_dims) if network is None else network
        check_stackable(self.network)
        self.normalizer = ObservationNormalizer((observation_dim,)) if normalize_observations else nn.Identity()
        self.bounds = None if action_dim is None else BoundedActions(action_dim)
        self.candidates: Tensor | None = None
        self.fitness: Tensor | None = None

    @override
    def setup(self, stage: str) -> None:
        """Check that network and environment fit. Raises UserError."""
        super().setup(stage)
        self._take_actions_of(self.environments.action_space)
        inputs = self.example_inputs()
        check_outputs(self.network, inputs, self.outputs, self)
        self.eval()
        check_vmap(self.network, inputs, self.weights)
        self.candidates = self.fitness = None

    def _take_actions_of(self, space: Any) -> None:
        from gymnasium.spaces import Box  # it takes half a second, and only who acts needs it

        if self.bounds is None:
            if isinstance(space, Box):
                raise UserError(f"the actions are {space}: set action_dim={self.environments.action_dim}")
            if self.environments.num_actions != self.outputs:
                raise UserError(f"there are {space.n} actions: set num_actions={space.n}")
            return
        if not isinstance(space, Box):
            raise UserError(
                f"the actions are {space}: leave out action_dim, and set num_actions={self.environments.num_actions}"
            )
        if self.environments.action_dim != self.outputs:
            raise UserError(f"an action has {space.shape[0]} numbers: set action_dim={space.shape[0]}")
        self.bounds.take_bounds_of(space)

    def example_inputs(self) -> Tensor:
        """Return what the network is given for one observation, ``(1, ...)``."""
        inputs: Tensor = self.normalizer(example_observation(self.environments).to(self.device))
        return inputs

    def ask(self) -> Tensor:
        """Return the weights ``(population_size, n)`` of the candidates of this generation."""
        raise NotImplementedError

    def tell(self, candidates: Tensor, fitness: Tensor) -> dict[str, Tensor]:
        """Learn from the candidates' fitness ``(population_size,)``, and return what is logged under ``train/``."""
        raise NotImplementedError

    def population(self) -> tuple[Tensor, Tensor, Tensor] | None:
        """Return candidates ``(P, n)`` and fitness ``(P,)`` of the last generation, and what is played ``(n,)``.

        None before the first generation.
        """
        if self.candidates is None or self.fitness is None:
            return None
        return self.candidates, self.fitness, self.weights

    @property
    def weights(self) -> Tensor:
        """The weights ``(n,)`` of the network."""
        return parameters_to_vector(self.network.parameters()).detach()

    @torch.no_grad()
    def set_weights(self, weights: Tensor) -> None:
        """Copy weights ``(n,)`` into the network."""
        parameters = list(self.network.parameters())
        parts = torch.split(weights, [parameter.numel() for parameter in parameters])
        for parameter, part in zip(parameters, parts, strict=True):
            parameter.copy_(part.reshape(parameter.shape))

    def forward(self, observation: Tensor) -> Tensor:
        """Return for observations ``(B, ...)`` a number for each action, or a continuous action: ``(B, A)``."""
        outputs: Tensor = self.network(self.normalizer(observation))
        return outputs if self.bounds is None else self.bounds(outputs)

    def choose(self, outputs: Tensor) -> Tensor:
        """Return the actions for outputs ``(K, A)`` of networks: numbers ``(K,)``, or ``(K, A)`` between the bounds."""
        return outputs.argmax(1) if self.bounds is None else self.bounds(outputs)

    @torch.no_grad()
    def act(self, observation: Tensor) -> Tensor:
        """Return the actions ``(N, ...)`` of the network."""
        return self.choose(self.network(self.normalizer(observation.to(self.device))))

    @override
    @torch.no_grad()
    def collect(self) -> None:
        """Play a generation."""
        self.candidates = self.ask()
        self.fitness = self.play(self.candidates, self.episodes_per_candidate)

    def play(self, candidates: Tensor, episodes: int) -> Tensor | None:
        """Return the mean returns ``(C,)`` float64 of candidates ``(C, n)``, or None where the budget ended before.

        Each plays so many new training episodes.
        """
        lanes = self.environments.train_envs
        assert isinstance(lanes, PlaysEpisodes)
        number = len(candidates)
        if self.common_seeds:
            seeds = [seed for seed in lanes.next_seeds(episodes) for _ in range(number)]
        else:
            seeds = lanes.next_seeds(episodes * number)
        choose, seen = self.acting(candidates, episodes), torch.empty(0)

        def act(observation: Tensor, episode: Tensor) -> Tensor:
            nonlocal seen
            seen = observation
            return choose(observation, episode)

        played = lanes.play(act, seeds, self.environments.total_steps - self.env_steps)
        require_finite_observations(seen)
        self.env_steps += int(played.lengths.sum())
        return torch.from_numpy(played.returns).reshape(episodes, number).mean(0) if played.ended.all() else None

    def acting(self, candidates: Tensor, episodes: int) -> ActsInEpisodes:
        """Return how candidates ``(C, n)`` act, of which number i plays the episodes i, i + C and so on."""
        number = len(candidates)
        stacked = StackedNetworks(self.network, candidates.to(self.device))
        numbers, which = torch.empty(0), torch.empty(0)

        def act(observation: Tensor, episode: Tensor) -> Tensor:
            nonlocal numbers, which
            if episode is not numbers:
                numbers, which = episode, (episode % number).to(self.device)
            if isinstance(self.normalizer, ObservationNormalizer):
                self._seen.append(observation)
            return self.choose(stacked(self.normalizer(observation.to(self.device)), which)).cpu()

        return act

    @override
    def learn(self) -> dict[str, Tensor]:
        if self.candidates is None or self.fitness is None:
            return {}
        found = self.tell(self.candidates, self.fitness)
        spread = self.fitness.std(correction=0)
        return {"fitness_mean": self.fitness.mean(), "fitness_best": self.fitness.max(), "fitness_std": spread, **found}

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        """There is no gradient: generations are counted by it. A child that makes steps by one gives its own."""
        return placeholder_optimizer()

    def example_batch(self, n: int) -> Tensor:
        """Return ``n`` made-up observations: ``(n, observation_dim)`` in [0, 1), or pictures for such a network."""
        return example_inputs_of(self.network, self.hparams["observation_dim"], n, self.device)
