"""What a module of images offers, and a data module's facts about its images."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


@runtime_checkable
class HasImageShape(Protocol):
    """Knows the shape of its images."""

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Channels, height and width."""
        ...


@runtime_checkable
class SamplesImages(HasImageShape, Protocol):
    """Samples new images.

    Much else has a method ``sample``; ``image_shape`` tells what samples images from it.
    """

    def sample(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Return ``n`` new images ``(n, C, H, W)``; ``labels`` is ``(n,)`` int64 for a conditional module, or None."""
        ...


@runtime_checkable
class Reconstructs(Protocol):
    """Maps images to their reconstructions."""

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the reconstruction of ``x``, of the same shape."""
        ...


@runtime_checkable
class Corrupts(Protocol):
    """Restores images that it corrupts first, to learn from."""

    def corrupt(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return corrupted copies of images ``x``, perhaps with another number of channels."""
        ...


IMAGE_PAIR = ("a", "b", "labels_a", "labels_b")
"""What a batch of images of two domains that is a dictionary calls its parts; the labels may be missing."""


CONTENT_AND_STYLE = ("content", "style")
"""What a batch that is a dictionary calls the pictures whose content is kept, and those of the style."""


@runtime_checkable
class Stylizes(Protocol):
    """Gives pictures a style."""

    def stylize(self, content: Tensor) -> Tensor:
        """Return pictures with the content of ``content`` ``(B, C, H, W)``, of the same shape, in the style."""
        ...


@runtime_checkable
class Translates(Protocol):
    """Maps images of one domain to another."""

    @property
    def domain_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Channels, height and width of the images of each domain, ``a`` and ``b``."""
        ...

    @property
    def directions(self) -> tuple[str, ...]:
        """The ways that there are: ``a2b``, and ``b2a`` where there is one back."""
        ...

    def translate(self, x: Tensor, direction: str = "a2b") -> Tensor:
        """Return images ``x`` ``(B, C, H, W)`` of the first domain of ``direction`` as images of the other."""
        ...
