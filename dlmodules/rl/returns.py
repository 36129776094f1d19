"""Targets and schedules of reinforcement learning, as pure functions."""

from torch import Tensor


def td_target(reward: Tensor, terminated: Tensor, next_value: Tensor, gamma: float) -> Tensor:
    """Return ``reward + gamma * next_value``, without the second term where a terminal state was reached.

    An episode that a time limit truncated is not terminated: its last transition bootstraps.

    Args:
        reward: ``(B,)`` float.
        terminated: ``(B,)`` bool.
        next_value: ``(B,)`` value of the next observation.
        gamma: discount in [0, 1].
    """
    return reward + gamma * next_value.masked_fill(terminated, 0.0)
