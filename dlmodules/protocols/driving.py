"""What a network that drives offers, and what is asked of the data module that lets it drive."""

from collections.abc import Callable
from typing import Literal, Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class SteersByFrames(Protocol):
    """Steers a car by frames of its camera, and shows what in them it steers by."""

    def steer(self, frames: Tensor) -> Tensor:
        """Return the steering ``(B,)`` in [-1, 1], negative to the left, for frames ``(B, C, H, W)``."""
        ...

    def saliency(self, frames: Tensor) -> Tensor:
        """Return maps ``(B, 1, H, W)`` in [0, 1] of frames, each on its own scale."""
        ...


@runtime_checkable
class PlansWays(Protocol):
    """Plans where to be at the next moments by pictures from above."""

    def plan(self, pictures: Tensor) -> Tensor:
        """Return how far right and ahead, at which heading and how fast to be, ``(B, K, 4)``, of ``(B, C, H, W)``."""
        ...


@runtime_checkable
class DrivesByPlans(Protocol):
    """A data module in whose scenes a network drives by its own plans."""

    def drive_by(self, plan: Callable[[Tensor], Tensor], split: Literal["val", "test"]) -> dict[str, float]:
        """Return how well ``plan`` drives in the scenes of validation or test, by the names of the metrics.

        ``plan`` maps pictures ``(B, C, H, W)`` to how far right, how far ahead, at which heading and how fast the car
        is to be at each of the next steps, ``(B, K, 4)``.
        """
        ...
