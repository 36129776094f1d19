"""The policies of a population: small networks, and what makes actions of their outputs."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dlmodules.errors import UserError
from dlmodules.layers.mlp import mlp_layers
from dlmodules.rl.action_bounds import KeepsBounds
from dlmodules.validation.arguments import check_positive


class Scaled(nn.Module):
    """Divides each number of an observation by its own scale.

    Args:
        scales: one for each number, above 0.

    Raises:
        UserError: for a scale of 0 or less.
    """

    scales: Tensor

    def __init__(self, scales: Sequence[float]) -> None:
        super().__init__()
        for scale in scales:
            check_positive(observation_scales=scale)
        self.register_buffer("scales", torch.tensor(list(scales), dtype=torch.float32))

    def forward(self, observation: Tensor) -> Tensor:
        """Map observations ``(..., D)`` to as many numbers of the order of 1."""
        return observation / self.scales


class PolicyNetwork(nn.Module):
    """Linear layers with tanh between them; without hidden layers one linear layer.

    The last layer begins as nearly nothing: a search about it prefers no action.

    Args:
        observation_dim: numbers in an observation.
        outputs: numbers that come out.
        hidden_dims: units of each hidden layer; none for a linear policy.
        observation_scales: what each number of an observation is divided by first; None leaves them as they are.
            Unlike running statistics they are the same when a policy acts as when it was judged.

    Raises:
        UserError: another number of scales than numbers in an observation, or one of 0 or less.
    """

    def __init__(
        self,
        observation_dim: int,
        outputs: int,
        hidden_dims: Sequence[int] = (),
        observation_scales: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        if observation_scales is not None and len(observation_scales) != observation_dim:
            raise UserError(
                f"observation_scales has {len(observation_scales)} numbers; observation_dim is {observation_dim}"
            )
        self.observation_dim, self.outputs, self.hidden_dims = observation_dim, outputs, tuple(hidden_dims)
        dims = [observation_dim, *hidden_dims]
        last = nn.Linear(dims[-1], outputs)
        nn.init.normal_(last.weight, std=1e-3)
        nn.init.zeros_(last.bias)
        scaled = [] if observation_scales is None else [Scaled(observation_scales)]
        self.layers = nn.Sequential(nn.Flatten(), *scaled, *mlp_layers(dims, "tanh"), last)

    def forward(self, observation: Tensor) -> Tensor:
        """Map observations ``(B, ...)`` to ``(B, outputs)``."""
        found: Tensor = self.layers(observation)
        return found


class BoundedActions(KeepsBounds):
    """Maps any numbers into the bounds of an action, by tanh.

    Args:
        action_dim: numbers in an action. The bounds are -1 and 1 until they are set.
    """

    def __init__(self, action_dim: int) -> None:
        super().__init__()
        self.add_bounds(action_dim, 1.0)

    def forward(self, outputs: Tensor) -> Tensor:
        """Map ``(B, action_dim)`` to actions between the bounds."""
        return self.low + (self.high - self.low) * (outputs.tanh() + 1) / 2
