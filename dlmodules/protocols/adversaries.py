"""What a module of two networks that train against each other offers."""

from typing import Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class Discriminates(Protocol):
    """Has a discriminator that tells real images from generated ones."""

    def discriminate_images(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the discriminator's outputs ``(B,)`` for images ``x``: the larger, the more real it takes them for.

        ``labels`` is ``(B,)`` int64 if the discriminator is conditioned on the class.
        """
        ...


class HasAdversaries(Protocol):
    """Trains two networks against each other.

    Not for ``isinstance``: from Python 3.12 on it does not see the submodules of a module.
    """

    generator: nn.Module
    """Generates images."""

    discriminator: nn.Module
    """Discriminates them."""


@runtime_checkable
class DifferentiatesTwice(Protocol):
    """Has networks whose gradient is differentiated too, which no compiler can do."""

    @property
    def twice_differentiated(self) -> tuple[str, ...]:
        """The names of these submodules; none where no penalty is used."""
        ...
