"""The car as the camera shows it: always in one place, with its front wheels turned."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from gymnasium.envs.box2d.car_dynamics import (
    HULL_POLY1,
    HULL_POLY2,
    HULL_POLY3,
    HULL_POLY4,
    SIZE,
    WHEEL_R,
    WHEEL_W,
    WHEELPOS,
)

from datamodules.environments.racing.camera import window_rays

HULLS = (HULL_POLY1, HULL_POLY2, HULL_POLY3, HULL_POLY4)
RED = (204.0, 0.0, 0.0)
TYRE = (25.0, 25.0, 25.0)
"""A wheel, black with a grey mark that turns, in the mean of a turn."""

SUBPIXELS = 8
TURN = 0.4  # radians, as far as the front wheels turn
ANGLES = 33


class Sprite(NamedTuple):
    """What of the car lies in a part of a frame.

    Args:
        rows: of the frame.
        columns: of the frame.
        light: ``(rows, columns, 3)`` float32, what the car adds, in [0, 255].
        through: ``(rows, columns, 1)`` float32, the part of a pixel where no car is.
    """

    rows: slice
    columns: slice
    light: Any
    through: Any

    def draw(self, frame: Any) -> None:
        """Draw the car on a frame ``(H, W, 3)`` uint8."""
        part = frame[self.rows, self.columns]
        part[...] = part * self.through + self.light


def sprite_of(size: int, zoom: float, angle: float, seen: float) -> Sprite:
    """Return the car in frames of ``size`` pixels, with its front wheels turned by ``angle`` radians.

    Args:
        size: of a frame, in pixels.
        zoom: pixels of the window in a metre.
        angle: of the front wheels, to the left; the nearest of 33 is drawn.
        seen: part of the window's height that a frame shows, from its upper edge.
    """
    nearest = round((angle / TURN + 1) / 2 * (ANGLES - 1))
    return _sprite(size, zoom, min(max(nearest, 0), ANGLES - 1), seen)


@cache
def _sprite(size: int, zoom: float, nearest: int, seen: float) -> Sprite:
    angle = TURN * (2 * nearest / (ANGLES - 1) - 1)
    right, forward = window_rays(size, zoom, seen)
    reach_x, reach_y = 1.6, 3.0  # metres around the middle of the hull, with wheels
    step_x, step_y = right[1] - right[0], forward[0] - forward[1]
    columns = np.flatnonzero(np.abs(right) <= reach_x + step_x)
    rows = np.flatnonzero(np.abs(forward) <= reach_y + step_y)
    offsets = (np.arange(SUBPIXELS) + 0.5) / SUBPIXELS - 0.5
    x = (right[columns][:, None] + offsets * step_x).ravel()[None, :]
    y = (forward[rows][:, None] - offsets * step_y).ravel()[:, None]
    colours = np.zeros((y.size, x.size, 3), dtype=np.float32)
    covered = np.zeros((y.size, x.size, 1), dtype=np.float32)
    parts = [(_wheel(place, angle if place[1] > 0 else 0.0), TYRE) for place in WHEELPOS]
    parts += [(np.array(hull) * SIZE, RED) for hull in HULLS]
    for corners, colour in parts:
        inside = _inside(corners, x, y)
        colours[inside], covered[inside] = colour, 1
    light, cover = (_means(values, len(rows), len(columns)) for values in (colours, covered))
    return Sprite(
        slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1), light, (1 - cover).astype(np.float32)
    )


def _wheel(place: tuple[float, float], angle: float) -> Any:
    """Return the corners ``(4, 2)`` of a wheel, in metres from the middle of the hull."""
    corners = np.array([(-WHEEL_W, WHEEL_R), (WHEEL_W, WHEEL_R), (WHEEL_W, -WHEEL_R), (-WHEEL_W, -WHEEL_R)]) * SIZE
    turned = corners @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return turned + np.array(place) * SIZE


def _inside(corners: Any, x: Any, y: Any) -> Any:
    """Return whether points lie in a convex polygon."""
    sides = [
        (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])
        for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)
    ]
    return (np.minimum.reduce(sides) >= 0) | (np.maximum.reduce(sides) <= 0)


def _means(values: Any, rows: int, columns: int) -> Any:
    blocks = values.reshape(rows, SUBPIXELS, columns, SUBPIXELS, values.shape[-1])
    return blocks.mean(axis=(1, 3), dtype=np.float32)
