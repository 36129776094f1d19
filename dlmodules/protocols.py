"""What a callback or a command may ask of a module, and nothing else.

A module has those of these methods that make sense for it; a caller checks with ``isinstance``.
Images are ``(B, C, H, W)`` float32 in [0, 1], whatever range the networks use inside. A conditional module
(``conditional`` is true) takes the labels ``(B,)`` as a second argument of ``encode``, ``decode`` and ``reconstruct``.
"""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn


@runtime_checkable
class Samples(Protocol):
    """Draws new images."""

    def sample(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Draw ``n`` images ``(n, C, H, W)``; ``labels`` is ``(n,)`` int64 for a conditional module, else None."""
        ...


@runtime_checkable
class Sweeps(Protocol):
    """Draws images while one thing that it makes them from changes, and everything else stays."""

    @property
    def sweeps(self) -> tuple[str, ...]:
        """The names of what can change."""
        ...

    def sample_sweep(
        self,
        name: str,
        values: Tensor,
        n: int,
        labels: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draw ``n`` rows of images ``(n, K, C, H, W)`` in which ``name`` takes the ``values`` ``(K,)``.

        The images of a row have the same noise and class; ``labels`` is ``(n,)`` int64 for a conditional module.
        Raises UserError for a name that is not among ``sweeps``.
        """
        ...


@runtime_checkable
class SamplesRows(Protocol):
    """Draws new rows of numbers or categories, or points."""

    def sample_rows(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw ``n`` rows ``(n, D)``."""
        ...


@runtime_checkable
class Reconstructs(Protocol):
    """Maps images to their reconstructions."""

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the reconstruction of ``x``, of the same shape."""
        ...


@runtime_checkable
class Degrades(Protocol):
    """Restores images that it damages first, to learn from."""

    def degrade(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return damaged copies of images ``x``, perhaps with another number of channels."""
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
class BoundsCodes(Protocol):
    """Knows between which values the numbers of its codes lie. Without it they may be any."""

    code_range: tuple[float, float]
    """The lowest and the highest value."""


@runtime_checkable
class Judges(Protocol):
    """Has a discriminator that tells real images from made ones."""

    def judge_images(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the discriminator's outputs ``(B,)`` for images ``x``: the larger, the more real it takes them for.

        ``labels`` is ``(B,)`` int64 where the discriminator is told the class.
        """
        ...


class HasAdversaries(Protocol):
    """Trains two networks against each other.

    Not for ``isinstance``: from Python 3.12 on it does not see the submodules of a module.
    """

    generator: nn.Module
    """Makes images."""

    discriminator: nn.Module
    """Judges them."""


@runtime_checkable
class DifferentiatesTwice(Protocol):
    """Has networks whose gradient is differentiated too, which no compiler can do."""

    @property
    def twice_differentiated(self) -> tuple[str, ...]:
        """The names of these submodules; none where no penalty is used."""
        ...


@runtime_checkable
class Acts(Protocol):
    """Plays an environment."""

    def act(self, observation: Tensor) -> Tensor:
        """Return the deterministic actions ``(N, ...)`` for observations ``(N, ...)``."""
        ...


@runtime_checkable
class Classifies(Protocol):
    """Tells classes apart. A caller may have to look at the shape of what ``forward`` returns to be sure.

    Its ``validation_step`` and ``test_step`` may return the class probabilities ``(B, num_classes)``.
    """

    num_classes: int

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits ``(B, num_classes)`` of inputs ``x``."""
        ...


@runtime_checkable
class Weighs(Protocol):
    """A classifier that says what its logits mean."""

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return the class probabilities ``(B, num_classes)`` in [0, 1]; the largest is the answer."""
        ...


@runtime_checkable
class HasInputShape(Protocol):
    """Knows the inputs that its ``forward`` takes."""

    input_shape: tuple[int, ...] | None
    """Shape of one input, such as (C, H, W); None where it takes any."""


@runtime_checkable
class ShowsFilters(Protocol):
    """Can picture what units above its first layer look for."""

    def filters(self) -> dict[str, Tensor]:
        """Return pictures ``(units, C, H, W)`` of weights, zero for no interest, by the name of the layer."""
        ...
