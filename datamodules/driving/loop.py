"""Closed loops of road, and how one lies before a car that is somewhere on it."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

SPACING = 0.25
"""Metres between two points of a loop."""

BEHIND, BEFORE, STRIDE = 40, 280, 4
"""How many points behind and before a car, of which one in four, tell where what it sees is: 10 and 70 metres."""

SHARPEST = 0.06
"""Curvature that no loop exceeds; the car can turn more sharply."""

HARMONICS = 5


@dataclass(frozen=True)
class Loop:
    """The middle of a road that ends where it begins.

    Args:
        points: every 25 centimetres, right and ahead of where it begins, ``(P, 2)`` in metres.
        tangents: the direction there, ``(P, 2)`` of length one.
    """

    points: Tensor
    tangents: Tensor

    @classmethod
    def drawn(cls, generator: torch.Generator, shortest: float = 250.0, longest: float = 400.0) -> "Loop":
        """Return a smooth loop of a length between two, in metres, with bends to both sides, drawn at random."""
        angle = torch.arange(4096) * (2 * math.pi / 4096)
        numbers = torch.arange(2, HARMONICS + 1).view(-1, 1)
        while True:
            length = shortest + (longest - shortest) * float(torch.rand((), generator=generator))
            strength = 0.5 * torch.rand(len(numbers), 1, generator=generator) / numbers
            phase = 2 * math.pi * torch.rand(len(numbers), 1, generator=generator)
            clockwise = bool(torch.rand((), generator=generator) < 0.5)
            radius = 1 + (strength * (numbers * angle + phase).cos()).sum(dim=0)
            right, ahead = radius * angle.sin(), radius * angle.cos()
            outline = torch.stack([right if clockwise else -right, ahead], dim=1)
            loop = cls._along(outline, length)
            if float(radius.min()) > 0.4 and float(loop.curvature.abs().max()) <= SHARPEST:
                return loop

    @classmethod
    def _along(cls, outline: Tensor, length: float) -> "Loop":
        """Return the loop of this ``outline``, scaled to ``length``, with points at equal distances."""
        closed = torch.cat([outline, outline[:1]]).double()
        steps = closed.diff(dim=0).norm(dim=1)
        way = torch.cat([steps.new_zeros(1), steps.cumsum(0)])
        n = round(length / SPACING)
        wanted = torch.arange(n) * (way[-1] / n)
        before = (torch.searchsorted(way, wanted, right=True) - 1).clamp(max=len(steps) - 1)
        part = ((wanted - way[before]) / steps[before]).unsqueeze(1)
        points = (closed[before] + part * (closed[before + 1] - closed[before])) * (n * SPACING / way[-1])
        tangents = points.roll(-1, 0) - points.roll(1, 0)
        return cls((points - points[0]).float(), (tangents / tangents.norm(dim=1, keepdim=True)).float())

    @property
    def length(self) -> float:
        """Metres once around."""
        return len(self.points) * SPACING

    @property
    def curvature(self) -> Tensor:
        """One over the radius at each point, ``(P,)``, positive where it bends to the right."""
        before, after = self.tangents.roll(2, 0), self.tangents.roll(-2, 0)
        turned = after[:, 0] * before[:, 1] - after[:, 1] * before[:, 0]
        return turned.clamp(-1.0, 1.0).asin() / (4 * SPACING)

    def near(self, place: Tensor, point: int) -> int:
        """Return the number of the point nearest to a ``place`` ``(2,)``, of those near the point with a number."""
        around = (point + torch.arange(-BEHIND, BEHIND + 1)) % len(self.points)
        return int(around[(self.points[around] - place).norm(dim=1).argmin()])

    def beside(self, place: Tensor, point: int) -> float:
        """Return how far right of the middle a ``place`` ``(2,)`` is whose nearest point has this number."""
        return float(_across(place - self.points[point], self.tangents[point]))


@dataclass(frozen=True)
class LoopAhead:
    """A loop as it lies before one car: a ``datamodules.driving.road.Road``.

    Args:
        loop: the road.
        place: of the car, ``(2,)``.
        heading: where it looks: the angle to the right of ahead, in radians.
        point: number of the point of the road that is nearest to it.
    """

    loop: Loop
    place: Tensor
    heading: float
    point: int

    def locate(self, right: Tensor, ahead: Tensor) -> tuple[Tensor, Tensor]:
        """See ``datamodules.driving.road.Road``."""
        cos, sin = math.cos(self.heading), math.sin(self.heading)
        places = torch.stack([right * cos + ahead * sin, ahead * cos - right * sin], dim=-1) + self.place
        around = self.point + torch.arange(-BEHIND, BEFORE, STRIDE)
        rows = around % len(self.loop.points)
        nearest = torch.cdist(places.view(1, -1, 2), self.loop.points[rows].unsqueeze(0))[0].argmin(dim=1)
        offset, tangents = places.view(-1, 2) - self.loop.points[rows[nearest]], self.loop.tangents[rows[nearest]]
        # The road is straight from the nearest point on, which is right to a centimetre within half a metre.
        along = around[nearest] * SPACING + (offset * tangents).sum(dim=1)
        return _across(offset, tangents).view(right.shape), along.view(right.shape)


def _across(offset: Tensor, tangent: Tensor) -> Tensor:
    """Return how far to the right ``offset`` leads of who looks along ``tangent``."""
    return offset[..., 0] * tangent[..., 1] - offset[..., 1] * tangent[..., 0]
