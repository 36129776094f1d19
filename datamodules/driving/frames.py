"""Frames of a camera and how the car was steered, in memory, in the order of time."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor
from typing_extensions import override

from datamodules.base.fields import FieldsDataset
from datamodules.base.in_memory import InMemoryDataModule
from datamodules.base.sampling import Transform
from datamodules.driving.augmentation import SteeredAugmentation
from dlmodules.protocols import Batch


class FramesDataset(FieldsDataset[Batch]):
    """Frames in bytes and their steering, batched by one index operation each.

    Args:
        frames: ``(N, 3, H, W)`` uint8.
        steering: ``(N,)`` float32 in [-1, 1], negative to the left.

    Raises:
        UserError: where there is not one steering for each frame.
    """

    def __init__(self, frames: Tensor, steering: Tensor) -> None:
        super().__init__((frames, steering))
        self.frames, self.steering = frames, steering

    @override
    def __getitem__(self, index: int) -> Batch:
        """Return one frame ``(3, H, W)`` float32 in [0, 1] and its steering ``()``."""
        frame, steering = super().__getitem__(index)
        return frame.float() / 255, steering

    @override
    def __getitems__(self, indices: Sequence[int] | Tensor) -> Batch:
        """Return frames ``(B, 3, H, W)`` float32 in [0, 1] and their steering ``(B,)``."""
        frames, steering = super().__getitems__(indices)
        return frames.float() / 255, steering


class FramesDataModule(InMemoryDataModule[FramesDataset, Batch]):
    """Batches ``(x, y)``: x ``(B, 3, H, W)`` float32 in [0, 1], y ``(B,)`` float32 steering, -1 left to 1 right.

    A child implements ``make_train_and_val`` and ``make_test``. Training frames are augmented, each anew in every
    epoch; those of validation and test are not.

    Args:
        batch_size: frames per batch, 1 or more.
        mirror: mirror half of the training frames, which negates their steering.
        brightness: largest change of a training frame's brightness, in parts of it, in [0, 1].
        turn: largest shift of a training frame to either side in parts of its width, as if the car had turned.
        turn_steering: by how much a shift by the whole width to the right changes the steering, to the right.
        move: largest shift of its bottom row to either side in parts of its width, as if the car stood to the side;
            the horizon stays where it is.
        move_steering: by how much a shift of the bottom row by the whole width to the right changes the steering.
        lift: largest shift of it up or down in parts of its height, as where the camera nods.
        horizon: where the horizon is, in parts of the height from the top, in [0, 1).
        **kwargs: of ``InMemoryDataModule``, all but ``train_transform``.

    Raises:
        UserError: for a number out of range.
    """

    unit = "frames"
    small_arguments: ClassVar[Mapping[str, Any]] = {"batch_size": 8}

    def __init__(
        self,
        batch_size: int = 64,
        *,
        mirror: bool = True,
        brightness: float = 0.3,
        turn: float = 0.0,
        turn_steering: float = 0.0,
        move: float = 0.0,
        move_steering: float = 0.0,
        lift: float = 0.0,
        horizon: float = 0.4,
        **kwargs: Any,
    ) -> None:
        augmentation = SteeredAugmentation(mirror, brightness, turn, turn_steering, move, move_steering, lift, horizon)
        super().__init__(batch_size=batch_size, train_transform=augmentation, **kwargs)

    @override
    def augment(self, batch: Any, transform: Transform) -> Any:
        """Return a training batch with frames and steering changed together."""
        return transform(*batch)
