"""How a car moves, whether it touches another, and a driver that keeps to rules."""

import torch
from torch import Tensor

from datamodules.driving.road import pursuit
from datamodules.driving.traffic import CROSSING, PARKED, SIDE_ROAD, SLOW, START, STOPPED, Traffic
from dlmodules.protocols.top_down import LENGTH, WIDTH

STEP = 0.2
"""Seconds between two moments."""

MAX_CURVATURE = 0.2
"""Of the sharpest turn of the car, in one over metres."""

HARDEST_BRAKING, STRONGEST_START = 8.0, 3.0
"""Largest changes of its speed, in metres per square second."""

NUDGE = -1.2
"""How far aside the driver passes a parked car."""


def move(state: Tensor, acceleration: Tensor, curvature: Tensor) -> Tensor:
    """Return x, y, heading and speed ``(N, 4)`` a step later, as far as the car can brake, start and turn so much."""
    x, y, heading, speed = state.unbind(1)
    faster = (speed + acceleration.clamp(-HARDEST_BRAKING, STRONGEST_START) * STEP).clamp(min=0.0)
    distance = (speed + faster) / 2 * STEP
    turned = heading + curvature.clamp(-MAX_CURVATURE, MAX_CURVATURE) * distance
    middle = (heading + turned) / 2
    return torch.stack([x + distance * middle.sin(), y + distance * middle.cos(), turned, faster], dim=1)


def seen_from(places: Tensor, state: Tensor) -> Tensor:
    """Return places ``(N, ..., 2 or more)`` to the right and ahead of cars ``(N, 3 or more)``.

    A third number of a place is its heading, which becomes one to that of the car; what is behind it stays.
    """
    x, y, heading = (part.view(-1, *[1] * (places.ndim - 2)) for part in state[:, :3].unbind(1))
    across, forward = places[..., 0] - x, places[..., 1] - y
    cos, sin = heading.cos(), heading.sin()
    seen = [across * cos - forward * sin, across * sin + forward * cos]
    if places.shape[-1] > 2:
        turn = places[..., 2] - heading
        seen.append(torch.atan2(turn.sin(), turn.cos()))
    return torch.cat([torch.stack(seen, dim=-1), places[..., 3:]], dim=-1)


def corners(boxes: Tensor) -> Tensor:
    """Return the corners ``(..., 4, 2)`` of boxes ``(..., 5)`` of x, y, heading, length and width."""
    x, y, heading, length, width = (part[..., None] for part in boxes.unbind(-1))
    along = length / 2 * boxes.new_tensor([1.0, 1.0, -1.0, -1.0])
    aside = width / 2 * boxes.new_tensor([1.0, -1.0, -1.0, 1.0])
    cos, sin = heading.cos(), heading.sin()
    return torch.stack([x + along * sin + aside * cos, y + along * cos - aside * sin], dim=-1)


def touches(box: Tensor, others: Tensor) -> Tensor:
    """Whether boxes ``(N, 5)`` touch any of ``(N, A, 5)`` of their scene, ``(N,)``; one without length is none.

    Two boxes are apart where they are so along a side of one of them.
    """
    box = box[:, None].expand_as(others)
    first, second = corners(box), corners(others)
    apart = torch.zeros(others.shape[:2], dtype=torch.bool)
    for heading in (box[..., 2], others[..., 2]):
        for turn in (0.0, torch.pi / 2):
            side = torch.stack([(heading + turn).sin(), (heading + turn).cos()], dim=-1)[:, :, None]
            one, two = (first * side).sum(-1), (second * side).sum(-1)
            apart |= (one.amax(-1) < two.amin(-1)) | (two.amax(-1) < one.amin(-1))
    return (~apart & (others[..., 3] > 0)).any(1)


def own_box(state: Tensor) -> Tensor:
    """Return the boxes ``(..., 5)`` of cars ``(..., 3 or more)``."""
    size = state.new_tensor([LENGTH, WIDTH]).expand(*state.shape[:-1], 2)
    return torch.cat([state[..., :3], size], dim=-1)


class RuleDriver:
    """Keeps to the lane, the speed limit and a distance: what is to be imitated.

    Its speed is that of the intelligent driver model (Treiber et al. 2000). It stops behind what stands in its lane,
    passes what is parked at the side, and waits for what crosses where it still can. It steers for a place ahead.
    """

    def __init__(self, traffic: Traffic) -> None:
        self.traffic = traffic

    def start(self) -> Tensor:
        """Return x, y, heading and speed of cars in their lanes, ``(N, 4)``, nearly as fast as is allowed."""
        n = len(self.traffic)
        pose = self.traffic.pose(torch.full((n,), START), torch.zeros(n))
        return torch.cat([pose, 0.9 * self.traffic.limit[:, None]], dim=1)

    def drive(self, steps: int) -> tuple[Tensor, Tensor]:
        """Return all states ``(N, steps, 4)`` of a drive, and how far along the road each was, ``(N, steps)``."""
        state, along = self.start(), torch.full((len(self.traffic),), START)
        states, places = [], []
        for step in range(steps):
            along = self.traffic.locate(state[:, None, :2], along)[0][:, 0]
            states.append(state)
            places.append(along)
            state = move(state, *self.act(state, along, torch.full_like(along, step * STEP)))
        return torch.stack(states, dim=1), torch.stack(places, dim=1)

    def act(self, state: Tensor, along: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return acceleration and curvature, ``(N,)`` each, of cars ``(N, 4)`` ``along`` the road."""
        speed = state[:, 3]
        far = along + (0.9 * speed).clamp(min=5.0)
        goal = seen_from(self.traffic.pose(far, self._aside(far)), state)
        gap, closing = self._obstacle(along, speed, time)
        wanted = 2.0 + (speed + speed * closing / (2 * (2.0 * 3.0) ** 0.5)).clamp(min=0.0)
        free = 1 - (speed / self.traffic.limit) ** 4
        return 2.0 * (free - (wanted / gap.clamp(min=0.1)) ** 2), pursuit(goal[:, 0], goal[:, 1])

    def _aside(self, along: Tensor) -> Tensor:
        """Return how far right of the lane's middle it wants to be: in it, but where it passes a parked car."""
        distance = (along - self.traffic.where[:, 0]).abs()
        passing = ((15.0 - distance) / 8.0).clamp(0.0, 1.0)
        smooth = passing**2 * (3 - 2 * passing)
        return torch.where(self.traffic.kinds == PARKED, NUDGE * smooth, 0.0)

    def _obstacle(self, along: Tensor, speed: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gap to what is in its way, and how fast it comes closer."""
        traffic = self.traffic
        cars = traffic.cars(time)[:, 0]
        ahead = traffic.locate(cars[:, None, :2], along)[0][:, 0]
        gap = ahead - along - (LENGTH + cars[:, 3]) / 2
        leads = (traffic.kinds >= SLOW) & (traffic.kinds <= STOPPED)
        # What crosses is as good as a wall before its road, from some seconds before until it has passed.
        rate = traffic.speed[:, 0].abs().clamp(min=0.1)
        until = -(traffic.aside[:, 0] * traffic.speed[:, 0].sign()) / rate - time
        line = traffic.where[:, 0] - SIDE_ROAD - 0.5 - LENGTH / 2 - along
        margin = (cars[:, 3] / 2 + WIDTH) / rate
        waits = (traffic.kinds == CROSSING) & (until < 3.6) & (until > -margin) & (line > speed**2 / 8 - 1.0)
        gap = torch.where(leads, gap, torch.where(waits, line + 1.5, 1e3))
        return gap, torch.where(leads, speed - traffic.speeds(time)[:, 0], speed)
