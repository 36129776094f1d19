"""The keys that a driver of CarRacing presses, and which of them an action comes nearest to."""

import torch
from torch import Tensor

NAMES = ("none", "gas", "brake", "left", "left and brake", "right", "right and brake")
KEYS = ((0, 0, 0), (0, 1, 0), (0, 0, 0.3), (-1, 0, 0), (-1, 0, 0.3), (1, 0, 0), (1, 0, 0.3))
"""Steering, gas and brake of each of ``NAMES``: who steers gives no gas. A brake of 1 would lock the wheels."""

STEERS, GIVES_GAS, BRAKES = 0.35, 0.3, 0.1
"""From which steering, gas and brake on a key is pressed."""


def keys_of(actions: Tensor) -> Tensor:
    """Return the numbers ``(B,)`` int64 of the keys for actions ``(B, 3)``: those of ``KEYS`` are their own.

    Args:
        actions: steering in [-1, 1], negative to the left, gas and brake in [0, 1].
    """
    steering, gas, brake = actions.unbind(1)
    brakes = brake > BRAKES
    straight = torch.where(brakes, 2, (gas > GIVES_GAS).long())
    turning = torch.where(steering < 0, 3, 5) + brakes
    return torch.where(steering.abs() > STEERS, turning, straight)


def actions_of(keys: Tensor) -> Tensor:
    """Return the actions ``(B, 3)`` float32 of the numbers ``(B,)`` of keys."""
    return torch.tensor(KEYS, device=keys.device)[keys]
