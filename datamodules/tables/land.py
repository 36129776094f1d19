"""Points on the land of a rough map of the world."""

from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from datamodules.tables.rows import Labels, Numbers, RowDataModule
from dlmodules.validation.arguments import check_at_least_one

CELLS = 2  # of the map, for each degree

# Corners (latitude, longitude) in degrees, drawn by eye.
OUTLINES: dict[str, tuple[tuple[float, float], ...]] = {
    "North America": (
        *((71, -157), (65, -167), (60, -165), (58, -154), (60, -145), (55, -131), (48, -124), (40, -124), (34, -120)),
        *((27, -114), (23, -110), (31, -114), (25, -109), (20, -105), (16, -98), (14, -91), (8, -82), (9, -77)),
        *((15, -84), (16, -88), (21, -87), (19, -92), (19, -96), (25, -97), (29, -95), (30, -85), (25, -81)),
        *((31, -81), (36, -76), (41, -71), (45, -65), (50, -66), (47, -54), (53, -56), (60, -64), (62, -75)),
        *((57, -77), (52, -79), (57, -91), (64, -88), (69, -95), (70, -125)),
    ),
    "Greenland": ((83, -35), (78, -20), (70, -22), (60, -43), (69, -53), (76, -68), (80, -65)),
    "Ellesmere": ((83, -70), (77, -80), (76, -95), (80, -95)),
    "Victoria": ((73, -115), (73, -102), (69, -104), (69, -115)),
    "Baffin": ((73, -85), (70, -68), (63, -65), (65, -75)),
    "Cuba": ((23, -84), (22, -78), (20, -74), (20, -77), (22, -82)),
    "South America": (
        *((12, -72), (10, -62), (5, -52), (0, -50), (-5, -35), (-13, -38), (-23, -42), (-28, -49), (-34, -53)),
        *((-39, -62), (-47, -66), (-55, -68), (-50, -75), (-37, -73), (-18, -70), (-5, -81), (2, -79), (8, -77)),
    ),
    "Africa": (
        *((36, -6), (37, 10), (31, 20), (31, 32), (22, 37), (12, 43), (11, 51), (2, 46), (-5, 39), (-15, 40)),
        *((-25, 35), (-34, 26), (-34, 18), (-18, 12), (-5, 12), (4, 9), (5, -5), (10, -15), (20, -17), (28, -12)),
    ),
    "Madagascar": ((-12, 49), (-25, 47), (-25, 44), (-16, 44)),
    "Eurasia": (
        *((36, -9), (43, -9), (43, -2), (48, -4), (51, 2), (54, 8), (54, 20), (60, 28), (66, 41), (68, 55), (72, 70)),
        *((77, 105), (72, 140), (69, 178), (62, 178), (60, 163), (51, 157), (60, 155), (59, 143), (53, 140)),
        *((43, 133), (39, 128), (35, 129), (35, 126), (40, 124), (37, 121), (30, 122), (22, 114), (21, 108)),
        *((10, 107), (13, 100), (2, 104), (8, 98), (16, 97), (22, 91), (16, 82), (8, 77), (20, 72), (25, 66)),
        *((26, 57), (30, 49), (24, 52), (22, 59), (13, 45), (28, 34), (31, 34), (36, 36), (37, 28), (40, 26)),
        *((41, 29), (41, 41), (46, 38), (46, 31), (41, 28), (40, 23), (37, 23), (40, 19), (45, 14), (44, 12)),
        *((40, 18), (38, 16), (44, 9), (43, 4), (37, -1)),
    ),
    "Scandinavia": ((58, 6), (62, 5), (70, 20), (71, 28), (67, 41), (60, 30), (60, 22), (65, 23), (60, 17), (55, 13)),
    "Britain": ((50, -5), (51, 1), (53, 0), (58, -3), (58, -6), (54, -4)),
    "Ireland": ((55, -7), (52, -6), (52, -10), (54, -10)),
    "Iceland": ((66, -23), (66, -15), (64, -15), (63, -20)),
    "Novaya Zemlya": ((77, 68), (73, 58), (71, 54), (75, 57)),
    "Sri Lanka": ((10, 80), (7, 82), (6, 80)),
    "Sumatra": ((6, 95), (-5, 106), (-5, 104), (1, 98)),
    "Java": ((-6, 105), (-7, 114), (-9, 114), (-8, 106)),
    "Borneo": ((7, 117), (1, 119), (-4, 115), (1, 109)),
    "Sulawesi": ((1, 120), (1, 125), (-5, 121), (-5, 119)),
    "New Guinea": ((-1, 131), (-3, 142), (-10, 150), (-8, 139), (-4, 133)),
    "Philippines": ((18, 121), (13, 124), (6, 126), (8, 122), (14, 120)),
    "Japan": ((45, 142), (43, 145), (35, 141), (31, 131), (35, 133), (40, 140)),
    "Australia": (
        *((-12, 131), (-12, 136), (-17, 140), (-11, 142), (-19, 147), (-28, 153), (-38, 150), (-38, 141)),
        *((-32, 133), (-35, 118), (-31, 115), (-22, 114), (-15, 125)),
    ),
    "Tasmania": ((-41, 145), (-41, 148), (-43, 147)),
    "New Zealand": ((-35, 173), (-38, 178), (-46, 170), (-45, 167), (-40, 174)),
}


class LandDataModule(RowDataModule):
    """Points that are uniform over the land of the world, and nowhere else.

    x ``(B, 2)`` float32: latitude and longitude in degrees. y ``(B,)`` int64, all 0, as there is nothing to predict.
    The map is drawn by eye with some 250 corners, without Antarctica, in cells of half a degree. Uniform
    means by degrees, as on a map with straight meridians and parallels. The test points are the same for every
    ``seed``.

    Args:
        num_points: how many are drawn, validation and test points among them.
        **kwargs: of ``RowDataModule``, all but ``standardize``.

    Raises:
        UserError: for a number out of range.
    """

    names = ("land",)

    def __init__(self, num_points: int = 400, **kwargs: Any) -> None:
        check_at_least_one(num_points=num_points)
        super().__init__(standardize=False, **kwargs)
        self.num_points = num_points

    @property
    @override
    def feature_names(self) -> list[str]:
        """The two coordinates."""
        return ["latitude", "longitude"]

    @override
    def load(self) -> tuple[Numbers, Labels]:
        rng = np.random.default_rng(0)
        cells = self.land.nonzero().numpy()
        row, column = cells[rng.integers(len(cells), size=self.num_points)].T
        latitude = 90 - (row + rng.uniform(size=self.num_points)) / CELLS
        longitude = -180 + (column + rng.uniform(size=self.num_points)) / CELLS
        return np.stack([latitude, longitude], axis=1), np.zeros(self.num_points, dtype=np.int64)

    @cached_property
    def land(self) -> Tensor:
        """Where land is, ``(360, 720)`` bool: from north to south and from west to east, in half degrees."""
        return draw_land()

    def is_land(self, points: Tensor) -> Tensor:
        """Return whether points ``(N, 2)`` of latitude and longitude lie on land, ``(N,)`` bool."""
        rows = ((90 - points[:, 0]) * CELLS).long().clamp(0, self.land.shape[0] - 1)
        columns = ((points[:, 1] + 180) * CELLS).long().clamp(0, self.land.shape[1] - 1)
        return self.land[rows, columns]


def draw_land() -> Tensor:
    """Draw the map ``(360, 720)`` bool."""
    from PIL import Image, ImageDraw

    image = Image.new("L", (360 * CELLS, 180 * CELLS))
    pen = ImageDraw.Draw(image)
    for outline in OUTLINES.values():
        pen.polygon([((longitude + 180) * CELLS, (90 - latitude) * CELLS) for latitude, longitude in outline], fill=1)
    return torch.from_numpy(np.asarray(image).astype(bool))
