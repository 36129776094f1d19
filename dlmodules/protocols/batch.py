"""What a training step is given."""

from torch import Tensor

Batch = tuple[Tensor, Tensor]
"""Inputs ``(B, ...)`` and what belongs to each of them: labels, targets, attributes."""
