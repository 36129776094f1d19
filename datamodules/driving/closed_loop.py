"""Cars that follow plans through scenes: where they end, and what they touch."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from datamodules.driving.moments import BEFORE, SHOWN, picture
from datamodules.driving.road import pursuit
from datamodules.driving.traffic import Traffic
from datamodules.driving.vehicle import STEP, corners, move, own_box, touches

AIM = 4
"""The waypoint that is steered for, a second ahead."""


@dataclass(frozen=True)
class Journey:
    """How N cars drove.

    Args:
        collided: whether each touched another car, ``(N,)``.
        left: whether a corner of it was off the road, ``(N,)``.
        distance: how far along the road it got, in metres, ``(N,)``.
        aside: how far right of its lane's middle it is at the end, ``(N,)``.
        turned: by how many radians it is turned right of the road at the end, ``(N,)``.
    """

    collided: Tensor
    left: Tensor
    distance: Tensor
    aside: Tensor
    turned: Tensor


def controls(plan: Tensor, speed: Tensor) -> tuple[Tensor, Tensor]:
    """Return acceleration and curvature ``(N,)`` by which cars follow plans ``(N, K, 4)``.

    They steer for the waypoint a second ahead, and change their speed to what is planned there. What is to go less than
    a metre does not turn: its waypoint may lie anywhere about it.
    """
    step = min(AIM, plan.shape[1] - 1)
    aim, after = plan[:, step], STEP * (1 + step)
    curvature = torch.where(aim[:, 1] > 1.0, pursuit(aim[:, 0], aim[:, 1].clamp(min=1.0)), 0.0)
    return (aim[:, 3] - speed) / after, curvature


def journey(
    traffic: Traffic, past: Tensor, along: Tensor, steps: int, plan: Callable[[Tensor], Tensor], part: int = 64
) -> Journey:
    """Let cars drive by plans.

    Args:
        traffic: N scenes.
        past: x, y, heading and speed of each at the moments before and at the first one, ``(N, BEFORE + 1, 4)``: its
            last moment is number ``BEFORE`` of the scene.
        along: where on the road it is, ``(N,)``.
        steps: how many it drives.
        plan: maps pictures to plans.
        part: so many pictures are planned for at once.
    """
    past, start = past[:, -SHOWN - 1 :], along
    collided = torch.zeros(len(traffic), dtype=torch.bool)
    left = collided.clone()
    for step in range(steps):
        time = torch.full_like(along, (BEFORE + step) * STEP)
        pictures = picture(traffic, time, past, along)
        plans = torch.cat([plan(pictures[first : first + part]) for first in range(0, len(pictures), part)])
        state = move(past[:, -1], *controls(plans, past[:, -1, 3]))
        past = torch.cat([past[:, 1:], state[:, None]], dim=1)
        along = traffic.locate(state[:, None, :2], along)[0][:, 0]
        box = own_box(state)
        collided |= touches(box, traffic.cars(time + STEP))
        left |= ~traffic.on_road(*traffic.locate(corners(box), along)).all(1)
    state = past[:, -1]
    aside = traffic.locate(state[:, None, :2], along)[1][:, 0]
    turned = state[:, 2] - traffic.pose(along, torch.zeros_like(along))[:, 2]
    return Journey(collided, left, along - start, aside, torch.atan2(turned.sin(), turned.cos()))


def veered(traffic: Traffic, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return the past ``(N, BEFORE + 1, 4)`` of cars that have come straight to where they are off their lane, and
    where on the road they are, ``(N,)``: 0.3 to 0.6 metres aside, and turned by 0.1 to 0.25 radians, to either side.
    """
    n = len(traffic)

    def either_way(low: float, high: float) -> Tensor:
        size = low + (high - low) * torch.rand(n, generator=generator)
        return torch.where(torch.rand(n, generator=generator) < 0.5, -size, size)

    along = torch.full((n,), 40.0)
    pose = traffic.pose(along, either_way(0.3, 0.6))
    pose[:, 2] += either_way(0.1, 0.25)
    speed = 0.9 * traffic.limit[:, None]
    back = speed * STEP * torch.arange(-BEFORE, 1)
    x, y = pose[:, :1] + back * pose[:, 2:].sin(), pose[:, 1:2] + back * pose[:, 2:].cos()
    return torch.stack([x, y, pose[:, 2:].expand_as(x), speed.expand_as(x)], dim=-1), along
