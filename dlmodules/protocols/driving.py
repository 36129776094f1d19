"""What a network that drives offers."""

from typing import Protocol, runtime_checkable

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
