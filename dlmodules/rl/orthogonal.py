"""The usual network of policy gradients."""

from collections.abc import Sequence

from torch import Tensor, nn

from dlmodules.layers.mlp import mlp_layers


class OrthogonalMLP(nn.Module):
    """Linear layers with an activation between them and orthogonal weights.

    Args:
        in_features: numbers that go in.
        out_features: numbers that come out.
        hidden_dims: units of each hidden layer; none leaves one linear layer.
        activation: of the hidden layers, by its name, such as ``tanh`` or ``relu``.
        gain: factor of the last layer's first weights: small for a policy that begins with all actions alike.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        hidden_dims: Sequence[int] = (64, 64),
        activation: str = "tanh",
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.hidden_dims = tuple(hidden_dims)
        self.activation, self.gain = activation, gain
        dims = [in_features, *hidden_dims]
        self.layers = nn.Sequential(*mlp_layers(dims, activation), nn.Linear(dims[-1], out_features))
        linear = [layer for layer in self.layers if isinstance(layer, nn.Linear)]
        for layer in linear:
            nn.init.orthogonal_(layer.weight, gain if layer is linear[-1] else 2**0.5)
            nn.init.zeros_(layer.bias)

    def forward(self, observation: Tensor) -> Tensor:
        """Map ``(B, ...)`` to ``(B, out_features)``."""
        found: Tensor = self.layers(observation.flatten(1))
        return found
