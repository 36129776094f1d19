"""What a callback or a command may ask of a module, and nothing else.

A module has those of these methods that make sense for it; a caller checks with ``isinstance``.
Images are ``(B, C, H, W)`` float32 in [0, 1], whatever range the networks use inside.
"""

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
class Encodes(Protocol):
    """Maps images to codes."""

    def encode(self, x: Tensor) -> Tensor:
        """Return the deterministic codes ``(B, latent_dim)`` of images ``x``."""
        ...


@runtime_checkable
class Decodes(Protocol):
    """Maps codes to images."""

    def decode(self, z: Tensor) -> Tensor:
        """Return the images of codes ``(B, latent_dim)``."""
        ...


@runtime_checkable
class Acts(Protocol):
    """Plays an environment."""

    def act(self, observation: Tensor) -> Tensor:
        """Return the deterministic actions ``(N, ...)`` for observations ``(N, ...)``."""
        ...
