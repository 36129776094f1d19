"""What a data module offers to callbacks, besides its loaders.

Members are properties here, so that a class may have plain attributes or compute them. Before Python 3.12
``isinstance`` computes a property to see that it is there.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from torch import Tensor

if TYPE_CHECKING:
    import gymnasium as gym  # for its name alone: modules without environments start without it


@runtime_checkable
class HasClassNames(Protocol):
    """Names its classes."""

    @property
    def class_names(self) -> Sequence[str]:
        """Names in the order of the labels; none where the targets are no classes."""
        ...


@runtime_checkable
class HasAttributeNames(Protocol):
    """Has labels ``(B, A)``, and names the A attributes."""

    @property
    def attribute_names(self) -> Sequence[str]:
        """Names in the order of the columns."""
        ...


@runtime_checkable
class HasTrainSet(Protocol):
    """Keeps its training set."""

    @property
    def train_set(self) -> Any:
        """The training set; None before ``setup``."""
        ...


@runtime_checkable
class HasRows(Protocol):
    """A data set whose rows lie in two tensors."""

    @property
    def x(self) -> Tensor:
        """Inputs ``(N, D)``."""
        ...

    @property
    def y(self) -> Tensor:
        """Targets ``(N,)``."""
        ...


@runtime_checkable
class RendersRows(Protocol):
    """Turns rows into images that show what they stand for."""

    def pictures(self, rows: Tensor) -> Tensor:
        """Return images ``(N, C, H, W)`` in [0, 1] of rows ``(N, D)``."""
        ...


@runtime_checkable
class MapsLand(Protocol):
    """Knows land from sea; points are latitude and longitude in degrees."""

    @property
    def land(self) -> Tensor:
        """The map ``(H, W)``, true on land; its top is north, and its left is 180 degrees west."""
        ...

    def is_land(self, points: Tensor) -> Tensor:
        """Return whether points ``(N, 2)`` lie on land, ``(N,)`` bool."""
        ...


@runtime_checkable
class MakesEnvironments(Protocol):
    """Makes environments like those that an agent trains in."""

    def make_env(self, render_mode: str | None = None) -> "gym.Env[Any, Any]":
        """Return one new environment; ``render_mode`` is Gymnasium's."""
        ...
