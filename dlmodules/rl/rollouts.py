"""The steps of an iteration, one after another, as tensors to learn from."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from dlmodules.protocols import Transition


class Rollout(NamedTuple):
    """T steps of N environments that reset in the step in which an episode ends.

    What networks take has the steps in one row, of the first step all environments first; what is summed up over time
    has them apart, as ``dlmodules.rl.returns`` takes it.

    Attributes:
        observation: ``(T * N, ...)`` what the agent saw.
        action: ``(T * N, ...)`` what the policy chose, before it was cut to the bounds of the action space.
        next_observation: ``(T * N, ...)`` what that led to, before any reset.
        reward: ``(T, N)`` float32.
        terminated: ``(T, N)`` bool.
        truncated: ``(T, N)`` bool.
    """

    observation: Tensor
    action: Tensor
    next_observation: Tensor
    reward: Tensor
    terminated: Tensor
    truncated: Tensor

    def to(self, device: torch.device) -> "Rollout":
        """Return it on ``device``."""
        return Rollout(*(part.to(device) for part in self))

    @classmethod
    def of(cls, steps: Sequence[Transition], device: torch.device) -> "Rollout":
        """Return steps, one or more of them, on ``device``."""
        return cls(
            *(torch.cat([getattr(step, name) for step in steps]).to(device) for name in cls._fields[:3]),
            *(torch.stack([getattr(step, name) for step in steps]).to(device) for name in cls._fields[3:]),
        )
