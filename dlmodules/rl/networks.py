"""Networks of the agents."""

from collections.abc import Sequence

from torch import Tensor, nn

from dlmodules.layers.mlp import mlp_layers


class MLPQNetwork(nn.Module):
    """Linear layers with ReLU between them map an observation to one value for each action.

    Args:
        observation_dim: numbers in an observation.
        num_actions: number of actions.
        hidden_dims: units of each hidden layer.
    """

    def __init__(self, observation_dim: int, num_actions: int, hidden_dims: Sequence[int] = (256, 256, 256)) -> None:
        super().__init__()
        self.observation_dim = observation_dim
        self.num_actions = num_actions
        self.hidden_dims = tuple(hidden_dims)
        dims = [observation_dim, *hidden_dims]
        self.layers = nn.Sequential(*mlp_layers(dims), nn.Linear(dims[-1], num_actions))

    def forward(self, observation: Tensor) -> Tensor:
        """Map observations ``(B, ...)`` to values ``(B, num_actions)``."""
        values: Tensor = self.layers(observation.flatten(1))
        return values
