"""OpenAI's evolution strategy over the weights of a policy."""

from collections.abc import Sequence
from typing import Any

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn.utils import vector_to_parameters
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.rl.evolution.population import PopulationAgent
from dlmodules.rl.evolution.ranks import centered_ranks
from dlmodules.training.schedules import with_schedule
from dlmodules.validation.arguments import check_positive


class OpenAIES(PopulationAgent):
    """Follows the gradient of the mean fitness around a policy, estimated from policies sampled in pairs about it.

    The policy that acts is the one in the middle.

    Paper: Salimans et al. 2017, Evolution Strategies as a Scalable Alternative to Reinforcement Learning,
    arXiv:1703.03864.
    Books: vasilev 9.1.

    Logged besides what every agent logs: ``train/generation``, ``train/fitness_mean``, ``train/fitness_best`` and
    ``train/fitness_std`` of the candidates' mean returns; ``train/sigma``; ``train/gradient_norm`` of the estimate;
    ``train/weight_norm`` of the policy.

    Args:
        hidden_dims: units of the hidden layers of the default network; none for a linear policy.
        network: maps observations ``(B, ...)`` to ``(B, num_actions)`` or ``(B, action_dim)``; None builds a
            ``PolicyNetwork``. The search begins at its weights.
        optimizer: makes the optimizer of the policy in the middle. Its weight decay keeps the weights within reach of
            ``sigma``.
        scheduler: makes a schedule of the learning rate, stepped after each generation; None keeps it constant.
        sigma: standard deviation of each weight of the candidates, above 0.
        population_size: candidates of a generation, an even number: two for each direction, one on each side.
        **kwargs: those of ``PopulationAgent``.

    Raises:
        UserError: an odd number of candidates, or a number out of range.
    """

    generation: Tensor

    def __init__(
        self,
        hidden_dims: Sequence[int] = (32, 32),
        network: nn.Module | None = None,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=0.05, weight_decay=0.005),
        scheduler: LRSchedulerCallable | None = None,
        sigma: float = 0.1,
        population_size: int = 32,
        **kwargs: Any,
    ) -> None:
        super().__init__(hidden_dims=hidden_dims, network=network, population_size=population_size, **kwargs)
        check_positive(sigma=sigma)
        if population_size % 2:
            raise UserError(f"population_size is {population_size}; it must be even, for candidates come in pairs")
        self.optimizer, self.scheduler = optimizer, scheduler
        self.sigma = sigma
        self.register_buffer("generation", torch.zeros((), dtype=torch.int64))

    @override
    def ask(self) -> Tensor:
        """Return pairs on opposite sides of the policy: the first half, then the other sides in the same order."""
        weights = self.weights
        noise = torch.randn(self.population_size // 2, len(weights), generator=self.generator).to(weights)
        return torch.cat([weights + self.sigma * noise, weights - self.sigma * noise])

    @override
    def tell(self, candidates: Tensor, fitness: Tensor) -> dict[str, Tensor]:
        gradient = self.gradient(candidates, fitness)
        parameters = list(self.network.parameters())
        slots = [torch.zeros_like(parameter) for parameter in parameters]
        vector_to_parameters(-gradient, slots)  # the optimizer goes down
        for parameter, slot in zip(parameters, slots, strict=True):
            parameter.grad = slot
        self.optimizer_at(0).step()
        self.step_schedule()
        self.generation += 1
        return {
            "generation": self.generation.float(),
            "sigma": torch.tensor(self.sigma),
            "gradient_norm": gradient.norm(),
            "weight_norm": self.weights.norm(),
        }

    def gradient(self, candidates: Tensor, fitness: Tensor) -> Tensor:
        """Return the estimated gradient ``(n,)`` of the mean rank about the policy in the middle."""
        shaped = centered_ranks(fitness).to(candidates)
        first, second = shaped.chunk(2)
        noise = (candidates[: len(first)] - candidates[len(first) :]) / (2 * self.sigma)
        return (first - second) @ noise / (self.population_size * self.sigma)

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = self.optimizer(self.network.parameters())
        return with_schedule(optimizer, self.scheduler)
