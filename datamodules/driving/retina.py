"""What ALVINN sees: a small camera's blue channel and a range finder, as one row of numbers."""

import torch
from torch import Tensor

from datamodules.driving.road import Camera, Road
from datamodules.driving.scenery import Scenery

CAMERA = Camera(30, 32, angle=70.0)
SCANNER = Camera(8, 32, height=2.5, pitch=17.0, angle=80.0, tall=30.0)
PIXELS = CAMERA.rows * CAMERA.columns + SCANNER.rows * SCANNER.columns


def seen(road: Road, scenery: Scenery, generator: torch.Generator) -> Tensor:
    """Return what N cars see, ``(N, 1216)`` in [0, 1]: first 30 x 32 pixels, then 8 x 32 of the range finder."""
    blue, near = scenery.blue(road, CAMERA, generator), scenery.proximity(road, SCANNER, generator)
    return torch.cat([blue.flatten(1), near.flatten(1)], dim=1)


def pictures_of(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return what camera and range finder saw, ``(B, 30, 32)`` and ``(B, 8, 32)``, of rows ``(B, 1216)`` or longer."""
    first = CAMERA.rows * CAMERA.columns
    blue, near = rows[:, :first], rows[:, first:PIXELS]
    return blue.reshape(-1, CAMERA.rows, CAMERA.columns), near.reshape(-1, SCANNER.rows, SCANNER.columns)
