"""The bounds of an action space as buffers."""

from typing import Any

import torch
from torch import Tensor, nn


class KeepsBounds(nn.Module):
    """Keeps the bounds of an action with the weights: who loads them needs no environment to act.

    A child calls ``add_bounds`` in its constructor.

    Attributes:
        low, high: ``(action_dim,)``.
    """

    low: Tensor
    high: Tensor

    def add_bounds(self, action_dim: int, bound: float) -> None:
        """Begin with ``-bound`` and ``bound`` for each of the ``action_dim`` numbers."""
        self.register_buffer("low", torch.full((action_dim,), -bound))
        self.register_buffer("high", torch.full((action_dim,), bound))

    def take_bounds_of(self, space: Any) -> None:
        """Take over the bounds of a ``Box`` of actions ``(action_dim,)``."""
        self.low.copy_(torch.from_numpy(space.low))
        self.high.copy_(torch.from_numpy(space.high))
