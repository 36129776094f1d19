"""Winding roads of two lanes with other cars on them, many at a time. Lengths are in metres, times in seconds.

A pose is x, y and heading; heading 0 looks along y, and is positive to the right. On a road a place is how far along
the middle of the right lane and how far to the right of it it lies. The other cars do not react to anybody.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

KINDS = ("free", "slow", "braking", "stopped", "parked", "crossing")
"""What is on the car's way: nothing, a car that drives slowly, brakes, stands, is parked at the side, or crosses."""

FREE, SLOW, BRAKING, STOPPED, PARKED, CROSSING = range(len(KINDS))

ROAD_LENGTH = 160
"""In points a metre apart."""

START = 20.0
"""Where on the road the driver starts: behind it there is road to be seen."""

LEFT_EDGE, RIGHT_EDGE, LANE_EDGE = -5.25, 2.5, 1.75
"""Of the road, which has a shoulder at its right, and of the right lane; from the middle of the lane."""

SIDE_ROAD = 3.5
"""Half the width of the road that crosses."""

WINDOW = 64
"""Of so many points a road consists for a car that sees not farther."""

BRAKES = 3.0
"""Deceleration of a car that stops."""


@dataclass(frozen=True)
class Traffic:
    """N roads with two other cars each: one on the car's way, and one on the other lane.

    Args:
        kinds: index into ``KINDS``, ``(N,)``.
        curvature: of the road at each point, positive to the right, ``(N, ROAD_LENGTH)``.
        limit: speed limit in metres per second, ``(N,)``.
        where: where on the road each of the cars starts, ``(N, 2)``; of one that crosses, where it crosses.
        aside: how far right of the lane each is, ``(N, 2)``; of one that crosses, where it starts.
        speed: of each, ``(N, 2)``: along the road, or to the right of one that crosses.
        stops: when each begins to brake, ``(N, 2)``.
        sizes: length and width of each, ``(N, 2, 2)``; a length of 0 is no car.
    """

    kinds: Tensor
    curvature: Tensor
    limit: Tensor
    where: Tensor
    aside: Tensor
    speed: Tensor
    stops: Tensor
    sizes: Tensor

    @classmethod
    def drawn(cls, n: int, generator: torch.Generator, kind: int | None = None) -> "Traffic":
        """Return ``n`` scenes of one kind, or of all in turn."""

        def between(low: float, high: float, *shape: int) -> Tensor:
            return low + (high - low) * torch.rand(n, *shape, generator=generator)

        kinds = torch.arange(n) % len(KINDS) if kind is None else torch.full((n,), kind)
        # Bends of 20 metres and more, and straights between them.
        knots = between(-0.04, 0.04, 1, 9) * (between(0, 1, 1, 9) < 0.7)
        curvature = torch.nn.functional.interpolate(knots, ROAD_LENGTH, mode="linear", align_corners=True)[:, 0]
        limit = between(5.0, 8.0)
        blocked = START + between(25.0, 45.0)
        side = between(0, 1).round() * 2 - 1
        crossing_speed, late = between(3.0, 5.0), between(-1.0, 2.5)
        arrives = (blocked - START) / limit + late
        slow, braking, stops = between(1.0, 4.0), between(4.0, 6.0), between(1.0, 4.0)
        zero, never = torch.zeros(n), torch.full((n,), 1e3)
        near = START + between(12.0, 25.0)
        of_kind = {
            "where": (never, near, near, blocked, blocked, blocked),
            "aside": (zero, zero, zero, between(-0.3, 0.3), between(1.5, 1.8), -side * crossing_speed * arrives),
            "speed": (zero, slow, braking, zero, zero, side * crossing_speed),
            "stops": (never, never, stops, never, never, never),
        }
        first = {name: torch.stack(kind).gather(0, kinds[None])[0] for name, kind in of_kind.items()}
        second = {
            "where": START + between(30.0, 130.0),
            "aside": torch.full((n,), -3.5),
            "speed": -between(4.0, 8.0),
            "stops": never,
        }
        sizes = torch.stack([between(4.0, 5.2, 2), between(1.8, 2.1, 2)], dim=-1)
        there = torch.stack([kinds != FREE, between(0, 1) < 0.5], dim=1)
        cars = {name: torch.stack([first[name], second[name]], dim=1) for name in first}
        return cls(kinds, curvature, limit, sizes=sizes * there[:, :, None], **cars)

    def __len__(self) -> int:
        return len(self.kinds)

    def rows(self, chosen: Tensor) -> "Traffic":
        """Return some of the scenes."""
        found = Traffic(**{name: getattr(self, name)[chosen] for name in self.__dataclass_fields__})
        # What is computed of the roads once is not computed for each batch anew.
        found.__dict__["headings"], found.__dict__["points"] = self.headings[chosen], self.points[chosen]
        return found

    @cached_property
    def headings(self) -> Tensor:
        """Direction of the road at each point, ``(N, ROAD_LENGTH)``."""
        return self.curvature.cumsum(1) - self.curvature[:, :1]

    @cached_property
    def points(self) -> Tensor:
        """The middle of the right lane, ``(N, ROAD_LENGTH, 2)``."""
        middle = self.headings + self.curvature / 2
        steps = torch.stack([middle.sin(), middle.cos()], dim=-1)
        return steps.cumsum(1) - steps[:, :1]

    def pose(self, along: Tensor, aside: Tensor) -> Tensor:
        """Return the poses ``(N, ..., 3)`` in the direction of the road at places ``(N, ...)`` of it."""
        shape = along.shape
        along, aside = along.reshape(len(self), -1), aside.reshape(len(self), -1)
        index = along.floor().clamp(0, ROAD_LENGTH - 1).long()
        rest = along - index
        heading = self.headings.gather(1, index) + rest * self.curvature.gather(1, index)
        x, y = (self.points[:, :, i].gather(1, index) for i in range(2))
        x = x + rest * heading.sin() + aside * heading.cos()
        y = y + rest * heading.cos() - aside * heading.sin()
        return torch.stack([x, y, heading], dim=-1).view(*shape, 3)

    def locate(self, places: Tensor, near: Tensor) -> tuple[Tensor, Tensor]:
        """Return how far along the road and how far right of the lane places ``(N, P, 2)`` are, ``(N, P)`` each.

        ``near`` ``(N,)`` is where on the road a car is, of which the places lie within some thirty metres: so of two
        parts of a winding road the right one is meant.
        """
        first = (near - 20).floor().clamp(0, ROAD_LENGTH - WINDOW).long()
        index = first[:, None] + torch.arange(WINDOW)
        window = self.points.gather(1, index[:, :, None].expand(-1, -1, 2))
        nearest = index.gather(1, torch.cdist(places, window).argmin(-1))
        x, y = (places[:, :, i] - self.points[:, :, i].gather(1, nearest) for i in range(2))
        heading = self.headings.gather(1, nearest)
        cos, sin = heading.cos(), heading.sin()
        return nearest + x * sin + y * cos, x * cos - y * sin

    def on_road(self, along: Tensor, aside: Tensor) -> Tensor:
        """Whether places ``(N, P)`` are on the road, or on the one that crosses it."""
        crosses = (self.kinds == CROSSING)[:, None] & ((along - self.where[:, :1]).abs() < SIDE_ROAD)
        return ((aside > LEFT_EDGE) & (aside < RIGHT_EDGE)) | crosses

    def speeds(self, time: Tensor) -> Tensor:
        """Return the speeds of the cars, ``(N, 2)``, with the sign of ``speed``, at times ``(N,)``."""
        lost = torch.minimum((time[:, None] - self.stops).clamp(min=0.0) * BRAKES, self.speed.abs())
        return self.speed - self.speed.sign() * lost

    def cars(self, time: Tensor) -> Tensor:
        """Return x, y, heading, length and width of the cars, ``(N, 2, 5)``, at times ``(N,)``."""
        time = time[:, None]
        braking = torch.minimum((time - self.stops).clamp(min=0.0), self.speed.abs() / BRAKES)
        moved = self.speed * (torch.minimum(time, self.stops) + braking) - self.speed.sign() * BRAKES * braking**2 / 2
        crosses = torch.stack([self.kinds == CROSSING, torch.zeros_like(self.kinds, dtype=torch.bool)], dim=1)
        along = torch.where(crosses, self.where, self.where + moved)
        aside = torch.where(crosses, self.aside + moved, self.aside)
        pose = self.pose(along, aside)
        back = torch.where(self.speed < 0, torch.pi, 0.0)
        turned = torch.where(crosses, self.speed.sign() * torch.pi / 2, back)
        return torch.cat([pose[..., :2], (pose[..., 2] + turned)[..., None], self.sizes], dim=-1)
