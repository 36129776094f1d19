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


def linear_schedule(step: int, start: float, end: float, duration: int) -> float:
    """Go in a straight line from ``start`` at step 0 to ``end`` at ``duration``, then stay."""
    return start + (end - start) * _progress(step, duration)


def exponential_schedule(step: int, start: float, end: float, duration: int) -> float:
    """Multiply by one factor each step, from ``start`` (> 0) to ``end`` (> 0) at ``duration``, then stay."""
    return float(start * (end / start) ** _progress(step, duration))


def _progress(step: int, duration: int) -> float:
    return 1.0 if step >= duration else step / duration
