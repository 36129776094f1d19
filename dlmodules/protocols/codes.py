"""What a module with a latent space offers."""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


@runtime_checkable
class HasLatentDim(Protocol):
    """Knows how many numbers a code, or the noise that stands for one, has."""

    latent_dim: int


@runtime_checkable
class Encodes(Protocol):
    """Maps images to codes."""

    def encode(self, x: Tensor) -> Tensor:
        """Return the deterministic codes ``(B, latent_dim)`` of images ``x``."""
        ...


@runtime_checkable
class EncodesDistributions(Protocol):
    """Maps images to distributions of codes, such as a VAE."""

    latent_dim: int
    image_shape: tuple[int, ...]

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance ``(B, latent_dim)`` of the codes of images ``x`` ``(B, *image_shape)``."""
        ...


@runtime_checkable
class Decodes(Protocol):
    """Maps codes to images."""

    def decode(self, z: Tensor) -> Tensor:
        """Return the images of codes ``(B, latent_dim)``."""
        ...


@runtime_checkable
class BoundsCodes(Protocol):
    """Knows between which values the numbers of its codes lie. Without it they may be any."""

    code_range: tuple[float, float]
    """The lowest and the highest value."""


@runtime_checkable
class Traverses(Protocol):
    """Samples images while one thing that it makes them from changes, and everything else stays."""

    @property
    def traversals(self) -> tuple[str, ...]:
        """The names of what can change."""
        ...

    def traverse(
        self,
        name: str,
        values: Tensor,
        n: int,
        labels: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return ``n`` rows of images ``(n, K, C, H, W)`` in which ``name`` takes the ``values`` ``(K,)``.

        The images of a row have the same noise and class; ``labels`` is ``(n,)`` int64 for a conditional module.
        Raises UserError for a name that is not among ``traversals``.
        """
        ...
