"""What a module of images offers."""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


@runtime_checkable
class Samples(Protocol):
    """Draws new images."""

    def sample(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Draw ``n`` images ``(n, C, H, W)``; ``labels`` is ``(n,)`` int64 for a conditional module, else None."""
        ...


@runtime_checkable
class Reconstructs(Protocol):
    """Maps images to their reconstructions."""

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the reconstruction of ``x``, of the same shape."""
        ...


@runtime_checkable
class Corrupts(Protocol):
    """Restores images that it damages first, to learn from."""

    def corrupt(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return damaged copies of images ``x``, perhaps with another number of channels."""
        ...
