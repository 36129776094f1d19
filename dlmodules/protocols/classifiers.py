"""What a classifier offers."""

from typing import Protocol, runtime_checkable

from torch import Tensor

from dlmodules.protocols.conditional import HasClasses


@runtime_checkable
class Classifies(HasClasses, Protocol):
    """Tells classes apart. A caller may have to look at the shape of what ``forward`` returns to be sure.

    Its ``validation_step`` and ``test_step`` may return the class probabilities ``(B, num_classes)``.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits ``(B, num_classes)`` of inputs ``x``."""
        ...


@runtime_checkable
class Weighs(Protocol):
    """A classifier that converts its logits to probabilities."""

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return the class probabilities ``(B, num_classes)`` in [0, 1]; the largest is the answer."""
        ...


@runtime_checkable
class HasFeatures(Protocol):
    """Gives the features by which it tells classes apart.

    The backbones of libraries may have a submodule of that name, which up to Python 3.11 matches too.
    """

    def features(self, x: Tensor) -> Tensor:
        """Return the features ``(B, F)`` of inputs ``x``."""
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
