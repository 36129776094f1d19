"""Flat roads and the cameras that look at them: where each pixel meets the road. All lengths are in metres.

A car's coordinates are how far to its right and how far ahead a place is. ``Road.locate`` tells how far to the right
of the road's middle it is, and how far along the road. Curvature is one over the radius, and positive to the right.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor


class Road(Protocol):
    """Roads as they lie before N cars."""

    def locate(self, right: Tensor, ahead: Tensor) -> tuple[Tensor, Tensor]:
        """Return how far right of the middle and how far along places are: ``(N, ...)`` of two ``(N, ...)`` alike."""
        ...


@dataclass(frozen=True)
class Arcs:
    """Roads of constant curvature.

    Args:
        offset: how far right of the middle each car stands, ``(N,)``.
        heading: by how many radians it is turned right of the road's direction, ``(N,)``.
        curvature: of each road, ``(N,)``.
    """

    offset: Tensor
    heading: Tensor
    curvature: Tensor

    def locate(self, right: Tensor, ahead: Tensor) -> tuple[Tensor, Tensor]:
        """See ``Road``."""
        shape = (-1, *[1] * (right.ndim - 1))
        offset, heading, bend = (part.view(shape) for part in (self.offset, self.heading, self.curvature))
        across = offset + right * heading.cos() + ahead * heading.sin()
        forward = ahead * heading.cos() - right * heading.sin()
        # Both are those of a circle, in a form that holds for a straight line as well.
        square = across.square() + forward.square()
        root = (1 - 2 * bend * across + bend.square() * square).clamp(min=0.0).sqrt()
        lateral = (2 * across - bend * square) / (1 + root)
        angle = torch.atan2(bend * forward, 1 - bend * across)
        along = torch.where(bend.abs() < 1e-6, forward, angle / torch.where(bend.abs() < 1e-6, 1.0, bend))
        return lateral, along

    def ahead(self, distance: float) -> tuple[Tensor, Tensor]:
        """Return where the middle of the road is after ``distance`` along it: right and ahead of each car, ``(N,)``."""
        bend = torch.where(self.curvature.abs() < 1e-6, 1e-6, self.curvature)
        across = 2 * (bend * distance / 2).sin().square() / bend - self.offset
        forward = (bend * distance).sin() / bend
        cos, sin = self.heading.cos(), self.heading.sin()
        return across * cos - forward * sin, forward * cos + across * sin


def pursuit(right: Tensor, ahead: Tensor) -> Tensor:
    """Return the curvature of the circle on which a car gets to a place, as it is turned now."""
    return 2 * right / (right.square() + ahead.square())


@dataclass(frozen=True)
class Camera:
    """A pinhole camera above the middle of a car, or a scanner of the same rays.

    Args:
        rows, columns: pixels.
        height: above the ground.
        pitch: how far below the horizontal it looks, in degrees.
        angle: how wide it sees, in degrees, at the middle row.
        tall: how high it sees, in degrees; None for square pixels.
    """

    rows: int
    columns: int
    height: float = 2.2
    pitch: float = 30.0
    angle: float = 60.0
    tall: float | None = None

    @cached_property
    def rays(self) -> tuple[Tensor, Tensor, Tensor]:
        """How far right, ahead and down each pixel looks, ``(rows, columns)``, by the unit of its focal length."""
        wide, high = self._extent
        right = wide * (2 * (torch.arange(self.columns) + 0.5) / self.columns - 1)
        down = high * (2 * (torch.arange(self.rows) + 0.5) / self.rows - 1)
        cos, sin = math.cos(math.radians(self.pitch)), math.sin(math.radians(self.pitch))
        down, right = torch.meshgrid(down, right, indexing="ij")
        return right, cos - down * sin, sin + down * cos

    def places(self, right: Tensor, ahead: Tensor, down: Tensor) -> Tensor:
        """Return where in the picture points before the camera are: across and down, -1 to 1 within it, ``(..., 2)``.

        ``down`` is how far below the camera they are. A point behind it, which it cannot see, is just before it.
        """
        cos, sin = math.cos(math.radians(self.pitch)), math.sin(math.radians(self.pitch))
        depth = (ahead * cos + down * sin).clamp(min=0.01)
        wide, high = self._extent
        return torch.stack([right / (depth * wide), (down * cos - ahead * sin) / (depth * high)], dim=-1)

    @property
    def _extent(self) -> tuple[float, float]:
        """How far to the side and up it sees, by the unit of its focal length."""
        wide = math.tan(math.radians(self.angle / 2))
        high = wide * self.rows / self.columns if self.tall is None else math.tan(math.radians(self.tall / 2))
        return wide, high

    @cached_property
    def ground(self) -> tuple[Tensor, Tensor, Tensor]:
        """Where each pixel meets flat ground, right and ahead of the car, and whether it does; ``(rows, columns)``.

        Where it does not, or more than a kilometre away, the place is that of a ray a kilometre long.
        """
        right, ahead, down = self.rays
        meets = down > self.height / 1000
        length = self.height / torch.where(meets, down, self.height / 1000)
        return right * length, ahead * length, meets
