"""The track from above, drawn once an episode, at two scales."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

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
        before: a map that is not needed any more, whose texels this one draws over. To ask for new memory takes longer
            than to fill it, and of a field of the same colours its track alone is to be removed.
    """

    def __init__(
        self,
        polygons: Sequence[Polygon],
        background: Colour,
        grass: Colour,
        dimming: int = 0,
        before: "TrackMap | None" = None,
    ) -> None:
        self.dimming = dimming
        self.field = field = _field(self._dimmed(background), self._dimmed(grass))
        self._take_texels(before)
        points = np.array([point for vertices, _ in polygons for point in vertices]) + HALF
        low = np.floor((points.min(axis=0) - MARGIN) / COARSE).astype(int) * COARSE
        high = np.ceil((points.max(axis=0) + MARGIN) / COARSE).astype(int) * COARSE
        left, top, right, bottom = (round(side / DRAWN) for side in (*low, *high))
        corners = iter((points / DRAWN).tolist())
        colours = np.array([colour for _, colour in polygons]).tolist()
        surface = field.surface
        drawn = [
            pygame.draw.polygon(surface, self._dimmed(colour), list(islice(corners, len(vertices))))
            for (vertices, _), colour in zip(polygons, colours, strict=True)
        ]
        self._parts = []
        shrunk = surface.subsurface((left, top, right - left, bottom - top))
        for mine, scale in ((self.fine, FINE), (self.coarse, COARSE)):
            size = [round(side / scale) for side in high - low]
            start = [round(side / scale) for side in low]
            part = slice(start[1], start[1] + size[1]), slice(start[0], start[0] + size[0])
            shrunk = pygame.transform.smoothscale(shrunk, size)  # the coarse one from the fine one, which is smaller
            mine[part] = pixels_of(shrunk)
            self._parts.append(part)
        for area in drawn:
            surface.blit(field.empty, area, area)

    def _take_texels(self, before: "TrackMap | None") -> None:
        """Have texels of the field without a track: those of the map before, or new ones."""
        field = self.field
        if before is None:
            self.fine, self.coarse = field.fine.copy(), field.coarse.copy()
            return
        self.fine, self.coarse = before.fine, before.coarse
        parts = before._parts if before.field is field else [slice(None)] * 2
        for mine, empty, part in zip((self.fine, self.coarse), (field.fine, field.coarse), parts, strict=True):
            mine[part] = empty[part]

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


class Field(NamedTuple):
    """The field without a track.

    Args:
        empty: as it is drawn.
        surface: the same, to draw tracks on and to remove them from.
        fine: its texels.
        coarse: likewise.
    """

    empty: pygame.Surface
    surface: pygame.Surface
    fine: Any
    coarse: Any


@lru_cache(maxsize=2)  # with colours at random each episode has others
def _field(background: tuple[int, int, int], grass: tuple[int, int, int]) -> Field:
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
    return Field(surface, surface.copy(), *texels)
