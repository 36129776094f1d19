"""The multilayer perceptron."""

import itertools
from collections.abc import Sequence

from torch import Tensor, nn

from dlmodules.layers.activations import make_activation
from dlmodules.layers.initialization import glorot_uniform_


def mlp_layers(dims: Sequence[int], activations: str | Sequence[str] = "relu", dropout: float = 0.0) -> list[nn.Module]:
    """Return [linear, activation, [dropout]] from each of ``dims`` to the next.

    ``activations`` is one name for all layers, or one for each; ``dropout`` is a probability in [0, 1).
    """
    names = [activations] * (len(dims) - 1) if isinstance(activations, str) else activations
    layers: list[nn.Module] = []
    for (before, after), name in zip(itertools.pairwise(dims), names, strict=True):
        layers += [nn.Linear(before, after), make_activation(name)]
        layers += [nn.Dropout(dropout)] if dropout > 0 else []
    return layers


class MLP(nn.Module):
    """Flatten, then [linear, activation, dropout] for each hidden layer, then a linear layer to the logits."""

    def __init__(
        self,
        in_features: int,
        hidden_dims: Sequence[int],
        num_classes: int,
        activations: Sequence[str],
        dropout: float,
    ) -> None:
        super().__init__()
        dims = [in_features, *hidden_dims]
        self.hidden = nn.Sequential(nn.Flatten(), *mlp_layers(dims, activations, dropout))
        self.head = nn.Linear(dims[-1], num_classes)
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, ...)`` to logits ``(B, num_classes)``."""
        logits: Tensor = self.head(self.hidden(x))
        return logits
