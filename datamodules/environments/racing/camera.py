"""Where each pixel of a frame lies on the ground: the camera of CarRacing follows the car and turns with it."""

import math
from typing import Any

import numpy as np
from gymnasium.envs.box2d.car_racing import SCALE, WINDOW_H, WINDOW_W, ZOOM

from datamodules.environments.racing.surfaces import colours_of
from datamodules.environments.racing.track_map import COARSE, FINE, HALF, TrackMap

FULL_ZOOM = ZOOM * SCALE


def zoom_at(seconds: float) -> float:
    """Return how many pixels of the window a metre has: in the first second the camera flies down to the car."""
    return 0.1 * SCALE * max(1 - seconds, 0) + FULL_ZOOM * min(seconds, 1)


def window_rays(size: int, zoom: float, seen: float) -> tuple[Any, Any]:
    """Return how far the pixels of a frame are from the car, in metres: columns to its right, rows ahead of it.

    Args:
        size: of a frame, in pixels.
        zoom: pixels of the window in a metre.
        seen: part of the window's height that a frame shows, from its upper edge.
    """
    middles = (np.arange(size) + 0.5) / size
    return (middles * WINDOW_W - WINDOW_W / 2) / zoom, WINDOW_H * (3 / 4 - seen * middles) / zoom


class Camera:
    """Takes frames ``(size, size, 3)`` of the ground around the car.

    Args:
        size: of a frame, in pixels.
        seen: part of the window's height that a frame shows, from its upper edge.
    """

    def __init__(self, size: int, seen: float) -> None:
        self.size, self.seen = size, seen
        right, ahead = window_rays(size, FULL_ZOOM, seen)
        rays = np.broadcast_arrays(right[None, :], ahead[:, None], 1.0)
        self._rays = np.stack([ray.ravel() for ray in rays]).astype(np.float32)
        self._texels = np.empty(size * size, dtype=np.uint32)

    def take(self, ground: TrackMap, x: float, y: float, angle: float, zoom: float) -> Any:
        """Return the ground around a car as a new frame ``(size, size, 3)`` uint8.

        Args:
            ground: the map.
            x: where the car is, in metres.
            y: likewise.
            angle: of the car's hull, in radians.
            zoom: pixels of the window in a metre.
        """
        scale = FULL_ZOOM / zoom
        # Where a pixel covers several texels of the fine map, the coarse one has their mean.
        texels, metres = (ground.fine, FINE) if scale < COARSE / FINE else (ground.coarse, COARSE)
        cos, sin = math.cos(angle) * scale / metres, math.sin(angle) * scale / metres
        turned = np.array([[cos, -sin, (x + HALF) / metres], [sin, cos, (y + HALF) / metres]], dtype=np.float32)
        across, along = places = (turned @ self._rays).astype(np.int32)
        side = texels.shape[0]
        if scale > 1:
            places.clip(0, side - 1, out=places)
        along *= side
        along += across
        texels.reshape(-1).take(along, out=self._texels, mode="clip")
        colours, frame = colours_of(self._texels), np.empty((self.size * self.size, 3), dtype=np.uint8)
        for channel in range(3):  # in a third of the time of one copy
            frame[:, channel] = colours[:, channel]
        return frame.reshape(self.size, self.size, 3)
