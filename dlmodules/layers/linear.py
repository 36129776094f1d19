"""One linear layer for inputs of any shape."""

from torch import Tensor, nn


class Linear(nn.Module):
    """Flatten, then one linear layer."""

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, out_features, bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, ...)`` to ``(B, out_features)``."""
        scores: Tensor = self.linear(x.flatten(1))
        return scores
