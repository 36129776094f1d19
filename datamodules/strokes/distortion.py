"""Handwriting as if somebody else had written it: larger, wider, more slanted."""

import torch
from torch import Tensor


class Distortion:
    """Turns, shears and stretches each line of a batch of strokes ``(B, T, 3)`` by a matrix of its own.

    Args:
        amount: the standard deviation of each number of the matrix around that of no change.
    """

    def __init__(self, amount: float) -> None:
        self.amount = amount

    def __call__(self, strokes: Tensor) -> Tensor:
        """Return distorted lines."""
        matrices = torch.eye(2) + self.amount * torch.randn(len(strokes), 2, 2)
        return torch.cat([strokes[..., :2] @ matrices, strokes[..., 2:]], dim=2)
