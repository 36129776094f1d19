"""Moments of drives: what is seen from above, and what the driver did next, also where the car was moved aside."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset
from typing_extensions import override

from datamodules.driving.traffic import CROSSING, LANE_EDGE, LEFT_EDGE, RIGHT_EDGE, SIDE_ROAD, Traffic
from datamodules.driving.vehicle import MAX_CURVATURE, STEP, RuleDriver, own_box, seen_from
from dlmodules.protocols import Batch
from dlmodules.protocols.top_down import VIEW

BEFORE, AFTER = 10, 15
"""Steps from where a car that is moved aside leaves the driver's way, and to where it is back on it."""

SHOWN = 8
"""Steps of the car's past that are shown."""

WAYPOINTS = 10
"""Steps of its future that are to be told."""

CARS_BEFORE = (0, 2, 4)
"""Steps before the moment at which other cars are shown."""


def picture(traffic: Traffic, time: Tensor, past: Tensor, along: Tensor) -> Tensor:
    """Return what is seen from above, ``(N, len(CHANNELS), 64, 64)`` in [0, 1].

    Args:
        traffic: N scenes.
        time: of the moment in each, ``(N,)``.
        past: x, y, heading and speed of the car at the last moments and at this one, ``(N, P, 4)``.
        along: how far along the road the car is, about, ``(N,)``.
    """
    now = past[:, -1]
    # The place on the road changes so little from pixel to pixel that every second one is enough.
    right, ahead = VIEW.coarser(2).places
    cos, sin = now[:, 2].cos()[:, None], now[:, 2].sin()[:, None]
    right, ahead = right.flatten(), ahead.flatten()
    world = torch.stack([now[:, :1] + right * cos + ahead * sin, now[:, 1:2] + ahead * cos - right * sin], dim=-1)
    place = torch.stack(traffic.locate(world, along), dim=1).view(-1, 2, VIEW.pixels // 2, VIEW.pixels // 2)
    position, aside = F.interpolate(place, scale_factor=2.0, mode="bilinear", align_corners=False).unbind(1)

    road = VIEW.soft(torch.minimum(aside - LEFT_EDGE, RIGHT_EDGE - aside))
    side_road = VIEW.soft(SIDE_ROAD - (position - traffic.where[:, 0, None, None]).abs())
    road = torch.maximum(road, side_road * (traffic.kinds == CROSSING)[:, None, None])
    line = VIEW.soft(0.25 - (aside + LANE_EDGE).abs())
    lane = VIEW.soft(LANE_EDGE - aside.abs()) * traffic.limit[:, None, None] / 10
    trail = seen_from(past[..., :2], now)
    drawn = [road - line * road / 2, VIEW.soft(0.75 - aside.abs()), lane]
    drawn += [VIEW.dots(trail[..., 0], trail[..., 1]), VIEW.boxes(own_box(torch.zeros_like(now)))]
    for steps in CARS_BEFORE:
        drawn.append(VIEW.boxes(seen_from(traffic.cars(time - steps * STEP), now)).amax(1))
    return torch.stack(drawn, dim=1)


def moved_aside(states: Tensor, at: int, aside: Tensor, turn: Tensor) -> tuple[Tensor, Tensor]:
    """Return states ``(N, S, 4)`` as if the car had been moved, and which of them a car can drive, ``(N,)``.

    The way goes smoothly from the first state through the moved one, number ``at``, to the last one: by cubic curves in
    time, which have the place and velocity of these three. It cannot be driven where it turns too sharply, or where
    the car stands.

    Args:
        states: x, y, heading and speed at equal steps.
        at: which of them is moved.
        aside: by how much to the right, ``(N,)``.
        turn: by how much it is turned to the right, ``(N,)``.
    """
    first, middle, last = states[:, 0], states[:, at].clone(), states[:, -1]
    middle[:, 0] += aside * middle[:, 2].cos()
    middle[:, 1] -= aside * middle[:, 2].sin()
    middle[:, 2] += turn
    parts = [_curve(first, middle, at)[:, :-1], _curve(middle, last, states.shape[1] - 1 - at)]
    moved = torch.cat(parts, dim=1)
    turned = moved[:, 1:, 2] - moved[:, :-1, 2]
    length = (moved[:, 1:, :2] - moved[:, :-1, :2]).norm(dim=-1)
    sharp = (torch.atan2(turned.sin(), turned.cos()).abs() > MAX_CURVATURE * length + 1e-3).any(1)
    return moved, ~sharp & (moved[..., 3].amin(1) > 1.0)


def _curve(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Return ``steps + 1`` states ``(N, steps + 1, 4)`` of the cubic curve between two of them."""
    t = (torch.arange(steps + 1) / steps)[:, None]
    points = []
    for state in (start, end):
        velocity = state[:, 3:] * torch.stack([state[:, 2].sin(), state[:, 2].cos()], dim=1) * steps * STEP
        points.append((state[:, None, :2], velocity[:, None]))
    (p0, v0), (p1, v1) = points
    place = (2 * t**3 - 3 * t**2 + 1) * p0 + (t**3 - 2 * t**2 + t) * v0 + (3 * t**2 - 2 * t**3) * p1
    place = place + (t**3 - t**2) * v1
    rate = (6 * t**2 - 6 * t) * (p0 - p1) + (3 * t**2 - 4 * t + 1) * v0 + (3 * t**2 - 2 * t) * v1
    heading = torch.atan2(rate[..., 0], rate[..., 1])
    return torch.cat([place, heading[..., None], rate.norm(dim=-1, keepdim=True) / (steps * STEP)], dim=-1)


@dataclass(frozen=True)
class Drives:
    """Scenes, and how the driver by rules went through them: states ``(N, T, 4)`` and places ``(N, T)`` on the road."""

    traffic: Traffic
    states: Tensor
    along: Tensor

    @classmethod
    def of(cls, traffic: Traffic, steps: int) -> "Drives":
        """Return the drives through some scenes, ``steps`` moments long."""
        return cls(traffic, *RuleDriver(traffic).drive(steps))


class MomentsDataset(Dataset[Batch]):
    """Moments of drives, drawn when they are asked for; see ``TopDownRoadDataModule`` for a batch.

    Args:
        drives: whose moments they are.
        spacing: steps between two moments of a drive, 1 or more.
        perturbed: part of the moments at which the car is moved, in [0, 1].
        aside, turn: by how much at most, in metres and radians, to either side.
        weight: of a moment at which it is moved.
        seed: chooses them.
    """

    def __init__(
        self, drives: Drives, spacing: int, perturbed: float, aside: float, turn: float, weight: float, seed: int
    ) -> None:
        self.drives = drives
        scenes, length = drives.along.shape
        steps = torch.arange(BEFORE, length - AFTER, spacing)
        self.scene = torch.arange(scenes).repeat_interleave(len(steps))
        self.step = steps.repeat(scenes)
        generator = torch.Generator().manual_seed(seed)
        chance, first, second = torch.rand(3, len(self.scene), generator=generator)
        self.moved = chance < perturbed
        self.aside, self.turn = aside * (2 * first - 1), turn * (2 * second - 1)
        self.weight = weight

    def __len__(self) -> int:
        return len(self.scene)

    @override
    def __getitem__(self, index: int) -> Batch:
        """Return the picture and the targets of one moment."""
        x, y = self.__getitems__([index])
        return x[0], y[0]

    def __getitems__(self, indices: Sequence[int] | Tensor) -> Batch:
        """Return pictures ``(B, 8, 64, 64)`` and targets ``(B, 10, 15)``."""
        chosen = torch.as_tensor(indices)
        scene, step = self.scene[chosen], self.step[chosen]
        traffic = self.drives.traffic.rows(scene)
        window = step[:, None] + torch.arange(-BEFORE, AFTER + 1)
        states = self.drives.states[scene[:, None], window]
        moved, possible = moved_aside(states, BEFORE, self.aside[chosen], self.turn[chosen])
        perturbed = self.moved[chosen] & possible
        states = torch.where(perturbed[:, None, None], moved, states)
        along, time = self.drives.along[scene, step], step * STEP
        past, now = states[:, BEFORE - SHOWN : BEFORE + 1], states[:, BEFORE]
        future = seen_from(states[:, BEFORE + 1 : BEFORE + 1 + WAYPOINTS], now)
        cars = torch.stack([traffic.cars(time + k * STEP) for k in range(1, WAYPOINTS + 1)], dim=1)
        weight = torch.where(perturbed, self.weight, 1.0)[:, None, None].expand(-1, WAYPOINTS, 1)
        targets = torch.cat([future, weight, seen_from(cars, now).flatten(2)], dim=2)
        return picture(traffic, time, past, along), targets
