"""The multilayer perceptron."""

import itertools
from collections.abc import Sequence

from torch import Tensor, nn

from dlmodules.layers.activations import make_activation
from dlmodules.layers.initialization import glorot_uniform_


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
        hidden: list[nn.Module] = [nn.Flatten()]
        for (before, after), activation in zip(itertools.pairwise(dims), activations, strict=True):
            hidden += [nn.Linear(before, after), make_activation(activation)]
            hidden += [nn.Dropout(dropout)] if dropout > 0 else []
        self.hidden = nn.Sequential(*hidden)
        self.head = nn.Linear(dims[-1], num_classes)
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, ...)`` to logits ``(B, num_classes)``."""
        logits: Tensor = self.head(self.hidden(x))
        return logits
