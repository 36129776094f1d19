"""Pictures of the ground around a car, seen from above, and what is drawn into them. All lengths are in metres.

Places are how far to the right of the car and how far ahead of it they lie; a heading is in radians, positive to the
right. Drawings are soft by a pixel at their edges, so that a small change of what is drawn changes them.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

CHANNELS = ("roadmap", "route", "speed_limit", "past", "agent", "cars_now", "cars_before", "cars_long_before")
"""What the channels of a picture show, all in [0, 1]."""

PAST = CHANNELS.index("past")
AGENT = CHANNELS.index("agent")
CARS = CHANNELS.index("cars_now")

LENGTH, WIDTH = 4.5, 2.0
"""Of the car in the picture."""

DOT = 0.75
"""Radius of the dot that a past place of the car is drawn as."""


@dataclass(frozen=True)
class View:
    """A square picture that looks ahead along the car's heading; row 0 is farthest ahead, column 0 farthest left.

    Args:
        pixels: rows and columns.
        metres: side of a pixel.
        behind: how far the picture goes behind the middle of the car.
    """

    pixels: int = 64
    metres: float = 0.5
    behind: float = 8.0

    @cached_property
    def places(self) -> tuple[Tensor, Tensor]:
        """How far right and how far ahead of the car the middle of each pixel is, ``(pixels, pixels)``."""
        steps = torch.arange(self.pixels) + 0.5
        right = steps * self.metres - self.pixels * self.metres / 2
        ahead = (self.pixels - steps) * self.metres - self.behind
        rows, columns = torch.meshgrid(ahead, right, indexing="ij")
        return columns, rows

    def coarser(self, factor: int) -> "View":
        """Return the view of the same ground in pixels ``factor`` times as long."""
        return View(self.pixels // factor, self.metres * factor, self.behind)

    def cells(self, right: Tensor, ahead: Tensor) -> Tensor:
        """Return the number ``row * pixels + column`` of the pixel of each place, the nearest for those outside."""
        column = (right / self.metres + self.pixels / 2).floor().clamp(0, self.pixels - 1)
        row = (self.pixels - (ahead + self.behind) / self.metres).floor().clamp(0, self.pixels - 1)
        return (row * self.pixels + column).long()

    def boxes(self, boxes: Tensor) -> Tensor:
        """Draw boxes ``(..., 5)``, of right, ahead, heading, length and width each: ``(..., pixels, pixels)``.

        A box without length is none.
        """
        right, ahead, heading, length, width = (part[..., None, None] for part in boxes.unbind(-1))
        across, forward = (places.to(boxes) for places in self.places)
        across, forward = across - right, forward - ahead
        cos, sin = heading.cos(), heading.sin()
        beside = (across * cos - forward * sin).abs()
        along = (across * sin + forward * cos).abs()
        inside = self.soft(width / 2 - beside) * self.soft(length / 2 - along)
        return torch.where(length > 0, inside, 0.0)

    def dots(self, right: Tensor, ahead: Tensor) -> Tensor:
        """Draw P places ``(..., P)`` as dots into one picture each, ``(..., pixels, pixels)``."""
        return self.soft(DOT - self._nearest(right, ahead))

    def curve(self, right: Tensor, ahead: Tensor, width: float) -> Tensor:
        """Draw the curve through P places ``(..., P)``, as wide as ``width``: ``(..., pixels, pixels)``."""
        # Straight lines between them, each cut into places that lie closer than they are wide.
        parts = torch.arange(4, device=right.device) / 4
        right, ahead = (
            torch.cat([(a[..., :-1, None].lerp(a[..., 1:, None], parts)).flatten(-2), a[..., -1:]], dim=-1)
            for a in (right, ahead)
        )
        return self.soft(width / 2 - self._nearest(right, ahead))

    def _nearest(self, right: Tensor, ahead: Tensor) -> Tensor:
        places = torch.stack([part.to(right).flatten() for part in self.places], dim=-1)
        distances = torch.cdist(
            places, torch.stack([right, ahead], dim=-1), compute_mode="donot_use_mm_for_euclid_dist"
        )
        return distances.amin(-1).view(*right.shape[:-1], self.pixels, self.pixels)

    def soft(self, inside: Tensor) -> Tensor:
        """Return how much of a pixel lies within an edge, of which its middle lies ``inside`` by so many metres."""
        return (inside / self.metres + 0.5).clamp(0.0, 1.0)


VIEW = View()
"""Of the pictures that ``ChauffeurNet`` sees: 24 metres ahead, 8 behind, 16 to either side."""
