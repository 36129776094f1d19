"""The track from above, drawn once an episode, at two scales."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pygame
from gymnasium.envs.box2d.car_racing import GRASS_DIM, PLAYFIELD

from datamodules.environments.racing.surfaces import pixels_of, surface_of

HALF = 384.0
"""Half the side of the map, in metres: the playfield, and as far as the camera sees beyond it."""

FINE, COARSE = 0.5, 2.0
"""Metres of a texel, for the drive and for the first second, which sees the whole track."""

DRAWN = 0.25
"""Metres of a pixel that is drawn, before pixels are averaged to texels."""

MARGIN = 16  # metres; whole texels of both scales

Colour = Any  # three numbers in [0, 255]
Polygon = tuple[Sequence[tuple[float, float]], Colour]


class TrackMap:
    """Grass, road and borders from above.

    Args:
        polygons: vertices in metres and a colour in [0, 255], of all tiles and borders, in drawing order.
        background: colour of the field.
        grass: colour of the squares on it.
        dimming: levels that each colour loses, see ``surfaces.dimming``.
        texels: those of a map that is not needed any more, ``fine`` and ``coarse``, to be drawn over; to ask for new
            memory takes longer than to fill it.
    """

    def __init__(
        self,
        polygons: Sequence[Polygon],
        background: Colour,
        grass: Colour,
        dimming: int = 0,
        texels: tuple[Any, Any] | None = None,
    ) -> None:
        self.dimming = dimming
        drawn, *fields = _field(self._dimmed(background), self._dimmed(grass))
        self.fine, self.coarse = (np.empty_like(field) for field in fields) if texels is None else texels
        for mine, field in zip((self.fine, self.coarse), fields, strict=True):
            np.copyto(mine, field)
        points = np.array([point for vertices, _ in polygons for point in vertices])
        low = np.floor((points.min(axis=0) + HALF - MARGIN) / COARSE).astype(int) * COARSE
        high = np.ceil((points.max(axis=0) + HALF + MARGIN) / COARSE).astype(int) * COARSE
        left, top, right, bottom = (round(side / DRAWN) for side in (*low, *high))
        surface = _scratch().subsurface((0, 0, right - left, bottom - top))
        surface.blit(drawn, (0, 0), (left, top, right - left, bottom - top))
        for vertices, colour in polygons:
            pygame.draw.polygon(
                surface,
                self._dimmed(colour),
                [((x + HALF) / DRAWN - left, (y + HALF) / DRAWN - top) for x, y in vertices],
            )
        for mine, scale in ((self.fine, FINE), (self.coarse, COARSE)):
            size = [round(side / scale) for side in high - low]
            start = [round(side / scale) for side in low]
            part = pixels_of(pygame.transform.smoothscale(surface, size))
            mine[start[1] : start[1] + size[1], start[0] : start[0] + size[0]] = part

    def _dimmed(self, colour: Colour) -> tuple[int, int, int]:
        red, green, blue = (max(int(c) - self.dimming, 0) for c in colour)
        return red, green, blue

    def _texel(self, colour: Colour) -> int:
        red, green, blue = self._dimmed(colour)
        return red | green << 8 | blue << 16

    def repaint(self, vertices: Sequence[tuple[float, float]], before: Colour, after: Colour) -> None:
        """Give a tile a colour in place of another: texels that lie in it and are wholly of the first colour.

        Args:
            vertices: ``(4, 2)``, in metres, in order around the tile.
            before: colour of the tile, in [0, 255].
            after: its new colour.
        """
        corners = (np.asarray(vertices) + HALF) / FINE
        left, top = np.floor(corners.min(axis=0)).astype(int)
        right, bottom = np.ceil(corners.max(axis=0)).astype(int)
        part = self.fine[top:bottom, left:right]
        x, y = np.arange(left, right) + 0.5, np.arange(top, bottom)[:, None] + 0.5
        sides = [
            (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])
            for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)
        ]
        inside = (np.minimum.reduce(sides) >= 0) | (np.maximum.reduce(sides) <= 0)
        part[inside & (part == self._texel(before))] = self._texel(after)


@cache
def _scratch() -> pygame.Surface:
    """Return a surface to draw a track on, always the same one."""
    side = int(2 * HALF / DRAWN)
    return surface_of(side, side)


@cache
def _field(background: tuple[int, int, int], grass: tuple[int, int, int]) -> tuple[pygame.Surface, Any, Any]:
    """Return the field without a track, as it is drawn and as texels of both scales."""
    side = int(2 * HALF / DRAWN)
    surface = surface_of(side, side)
    field = (np.array([-PLAYFIELD, PLAYFIELD]) + HALF) / DRAWN
    pygame.draw.rect(surface, background, (field[0], field[0], field[1] - field[0], field[1] - field[0]))
    for x in range(-20, 20, 2):
        for y in range(-20, 20, 2):
            corner = ((GRASS_DIM * x + HALF) / DRAWN, (GRASS_DIM * y + HALF) / DRAWN)
            pygame.draw.rect(surface, grass, (*corner, GRASS_DIM / DRAWN, GRASS_DIM / DRAWN))
    texels = []
    for scale in (FINE, COARSE):
        size = int(2 * HALF / scale)
        texels.append(np.ascontiguousarray(pixels_of(pygame.transform.smoothscale(surface, (size, size)))))
    return surface, texels[0], texels[1]
