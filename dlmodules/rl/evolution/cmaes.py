"""CMA-ES over the weights of a policy."""

from typing import Any

from torch import Tensor, nn
from typing_extensions import override

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
        network: maps observations ``(B, ...)`` to ``(B, num_actions)`` or ``(B, action_dim)``; None builds a
            ``PolicyNetwork``. Its weights are the first mean.
        sigma: first standard deviation of each weight, above 0.
        population_size: candidates of a generation, 2 or more.
        **kwargs: those of ``PopulationAgent``.
    """

    def __init__(
        self,
        network: nn.Module | None = None,
        sigma: float = 0.5,
        population_size: int = 8,
        **kwargs: Any,
    ) -> None:
        super().__init__(network=network, population_size=population_size, **kwargs)
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
