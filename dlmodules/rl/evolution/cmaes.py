"""CMA-ES over the weights of a policy."""

from collections.abc import Sequence

from torch import Tensor, nn
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.rl.evolution.cma import CovarianceMatrixAdaptation
from dlmodules.rl.evolution.population import PopulationAgent


class CMAES(PopulationAgent):
    """Samples policies from a normal distribution over their weights, which learns its mean, width and covariance.

    The policy that acts is the mean. ``dlmodules.rl.CovarianceMatrixAdaptation`` is the search by itself.

    Paper: Hansen 2016, The CMA Evolution Strategy: A Tutorial, arXiv:1604.00772.
    Books: vasilev 9.1.

    Logged besides what every agent logs: ``train/generation``, ``train/fitness_mean``, ``train/fitness_best`` and
    ``train/fitness_std`` of the candidates' mean returns; ``train/sigma``, the width; ``train/axis_ratio``, the longest
    axis of the distribution over the shortest.

    Args:
        observation_dim: numbers in an observation.
        num_actions: number of actions, where they are numbered: that of the largest output is done.
        action_dim: numbers in an action instead, where actions are continuous: outputs between the bounds, by tanh.
        hidden_dims: units of the hidden layers of the default network; none for a linear policy.
        network: maps observations ``(B, ...)`` to ``(B, num_actions)`` or ``(B, action_dim)``; None builds a
            ``PolicyNetwork``. Its weights are the first mean.
        sigma: first standard deviation of each weight, above 0.
        population_size: candidates of a generation, 2 or more.
        episodes_per_candidate: whole episodes that each of them plays; its fitness is the mean return.
        common_seeds: all candidates of a generation play the same episodes, which change from generation to generation:
            so they differ by what they do, and not by their luck. False gives each its own.
        generations_per_epoch: generations between two validations.
        normalize_observations: give the network observations of mean 0 and deviation 1, by what all candidates saw.
    """

    def __init__(
        self,
        observation_dim: int = 4,
        num_actions: int = 2,
        action_dim: int | None = None,
        hidden_dims: Sequence[int] = (),
        network: nn.Module | None = None,
        sigma: float = 0.5,
        population_size: int = 8,
        episodes_per_candidate: int = 1,
        common_seeds: bool = True,
        generations_per_epoch: int = 5,
        normalize_observations: bool = False,
    ) -> None:
        super().__init__(
            observation_dim=observation_dim,
            num_actions=num_actions,
            action_dim=action_dim,
            hidden_dims=hidden_dims,
            network=network,
            population_size=population_size,
            episodes_per_candidate=episodes_per_candidate,
            common_seeds=common_seeds,
            generations_per_epoch=generations_per_epoch,
            normalize_observations=normalize_observations,
        )
        save_portable_hyperparameters(self)
        self.search = CovarianceMatrixAdaptation(self.weights, sigma, population_size)

    @override
    def ask(self) -> Tensor:
        return self.search.ask(self.generator)

    @override
    def tell(self, candidates: Tensor, fitness: Tensor) -> dict[str, Tensor]:
        self.search.tell(candidates, fitness)
        self.set_weights(self.search.mean)
        deviations, _ = self.search.axes()
        return {
            "generation": self.search.generation.float(),
            "sigma": self.search.sigma.clone(),
            "axis_ratio": deviations[-1] / deviations[0],
        }
