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

    @classmethod
    def of(cls, steps: Sequence[Transition], device: torch.device) -> "Rollout":
        """Return steps, one or more of them, on ``device``."""
        return cls(
            torch.cat([step.observation for step in steps]).to(device),
            torch.cat([step.action for step in steps]).to(device),
            torch.cat([step.next_observation for step in steps]).to(device),
            torch.stack([step.reward for step in steps]).to(device),
            torch.stack([step.terminated for step in steps]).to(device),
            torch.stack([step.truncated for step in steps]).to(device),
        )
