"""Frames of roads that are drawn in colour."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from typing_extensions import override

from datamodules.driving.drawn_roads import DrawnRoads
from datamodules.driving.frames import FramesDataModule, FramesDataset
from datamodules.driving.road import Camera
from dlmodules.validation.arguments import check_at_least, check_at_least_one


class RoadFramesDataModule(FramesDataModule):
    """Roads in colour, drawn here, with white edges and a dashed yellow middle; no download.

    Batches are those of ``FramesDataModule``. Bend, place and direction of the car, width, light, noise and shadows are
    drawn for each frame by itself; the steering leads to the middle of the road ten metres ahead. The frames of
    validation and test are of other roads, the same for every ``seed``.

    Args:
        num_frames: frames to train on, 1 or more.
        val_size: frames of validation.
        test_size: frames of the test.
        height: of a frame in pixels, 16 or more.
        width: of a frame in pixels, 16 or more.
        **kwargs: of ``FramesDataModule``.

    Raises:
        UserError: for a number out of range.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        "batch_size": 8,
        "num_frames": 64,
        "val_size": 16,
        "test_size": 16,
    }

    def __init__(
        self,
        num_frames: int = 1000,
        *,
        val_size: int = 200,
        test_size: int = 200,
        height: int = 120,
        width: int = 160,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_at_least_one(num_frames=num_frames)
        check_at_least(0, val_size=val_size, test_size=test_size)
        check_at_least(16, height=height, width=width)
        self.num_frames, self.val_size, self.test_size = num_frames, val_size, test_size
        # Its horizon is where that of FramesDataModule is by default.
        self.camera = Camera(height, width, height=1.2, pitch=7.0, angle=80.0)

    @override
    def make_train_and_val(self) -> tuple[FramesDataset, FramesDataset]:
        return self._drawn(self.num_frames, 3 + self.seed), self._drawn(self.val_size, 1)

    @override
    def make_test(self) -> FramesDataset:
        return self._drawn(self.test_size, 2)

    def _drawn(self, n: int, seed: int) -> FramesDataset:
        generator = torch.Generator().manual_seed(seed)
        drawn = DrawnRoads.drawn(n, generator)
        frames = torch.empty(n, 3, self.camera.rows, self.camera.columns, dtype=torch.uint8)
        for rows, part in drawn.parts():
            frames[rows] = (part.scenery.colour(part.roads, self.camera, generator) * 255).round().byte()
        return FramesDataset(frames, drawn.steering)
