"""The policies of a population: small networks, and what makes actions of their outputs."""

from collections.abc import Sequence

from torch import Tensor, nn

from dlmodules.layers.mlp import mlp_layers
from dlmodules.rl.action_bounds import KeepsBounds


class PolicyNetwork(nn.Module):
    """Linear layers with tanh between them; without hidden layers one linear layer.

    The last layer begins as nearly nothing: a search about it prefers no action.

    Args:
        observation_dim: numbers in an observation.
        outputs: numbers that come out.
        hidden_dims: units of each hidden layer; none for a linear policy.
    """

    def __init__(self, observation_dim: int, outputs: int, hidden_dims: Sequence[int] = ()) -> None:
        super().__init__()
        self.observation_dim, self.outputs, self.hidden_dims = observation_dim, outputs, tuple(hidden_dims)
        dims = [observation_dim, *hidden_dims]
        last = nn.Linear(dims[-1], outputs)
        nn.init.normal_(last.weight, std=1e-3)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(nn.Flatten(), *mlp_layers(dims, "tanh"), last)

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
