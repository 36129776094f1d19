"""Targets and schedules of reinforcement learning, as pure functions."""

from torch import Tensor


def td_target(reward: Tensor, terminated: Tensor, next_value: Tensor, gamma: float) -> Tensor:
    """Return ``reward + gamma * next_value``, without the second term where a terminal state was reached.

    An episode that a time limit cut is not terminated: its value goes on.

    Args:
        reward: ``(B,)`` float.
        terminated: ``(B,)`` bool.
        next_value: ``(B,)`` value of the next observation.
        gamma: discount in [0, 1].
    """
    return reward + gamma * next_value.masked_fill(terminated, 0.0)
