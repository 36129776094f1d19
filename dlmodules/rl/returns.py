"""Targets and advantages of reinforcement learning, as pure functions.

Those of a stream take tensors ``(T, N)``: T steps, one after another, of N environments that reset in the step in which
an episode ends. ``next_value`` is that of what a step led to before any reset. An episode that was truncated ends
there, but its value goes on: it bootstraps. So does the last step of the stream where its episode still runs.
"""

import torch
from torch import Tensor


def td_target(reward: Tensor, terminated: Tensor, next_value: Tensor, gamma: float | Tensor) -> Tensor:
    """Return ``reward + gamma * next_value``, without the second term where a terminal state was reached.

    An episode that a time limit truncated is not terminated: its last transition bootstraps.

    Args:
        reward: ``(B,)`` float.
        terminated: ``(B,)`` bool.
        next_value: ``(B,)`` value of the next observation.
        gamma: discount in [0, 1]; one for all, or ``(B,)``.
    """
    return reward + gamma * next_value.masked_fill(terminated, 0.0)


def n_step(reward: Tensor, terminated: Tensor, truncated: Tensor, next_value: Tensor, gamma: float, n: int) -> Tensor:
    """Return ``(T, N)``: up to ``n`` discounted rewards, then the discounted value of where they led to.

    There are fewer rewards where the episode, or the stream, ends before.

    Args:
        reward: ``(T, N)`` float.
        terminated: ``(T, N)`` bool.
        truncated: ``(T, N)`` bool.
        next_value: ``(T, N)`` float.
        gamma: discount in [0, 1].
        n: at least 1.
    """
    one_step = td_target(reward, terminated, next_value, gamma)
    ended = terminated | truncated
    target = one_step
    for _ in range(n - 1):
        # The return of k steps is a reward and the return of k - 1 steps from the next one on.
        longer = reward[:-1] + gamma * target[1:]
        target = torch.cat([torch.where(ended[:-1], one_step[:-1], longer), one_step[-1:]])
    return target


def lambda_return(
    reward: Tensor, terminated: Tensor, truncated: Tensor, next_value: Tensor, gamma: float, lambda_: float
) -> Tensor:
    """Return ``(T, N)``: the mean of the returns of 1, 2, 3 ... steps, weighted by powers of ``lambda_``.

    Args:
        reward: ``(T, N)`` float.
        terminated: ``(T, N)`` bool.
        truncated: ``(T, N)`` bool.
        next_value: ``(T, N)`` float.
        gamma: discount in [0, 1].
        lambda_: in [0, 1]; 0 gives ``td_target``, 1 the whole return of the stream.
    """
    target = td_target(reward, terminated, next_value, gamma)
    ended = terminated | truncated
    for t in range(len(reward) - 2, -1, -1):
        beyond = (target[t + 1] - next_value[t]).masked_fill(ended[t], 0.0)
        target[t] += gamma * lambda_ * beyond
    return target


@torch.no_grad()
def gae(
    reward: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    value: Tensor,
    next_value: Tensor,
    gamma: float,
    lambda_: float,
) -> Tensor:
    """Return generalized advantages ``(T, N)``: discounted sums of the errors of ``value`` (Schulman et al. 2016).

    No gradient goes through them.

    Args:
        reward: ``(T, N)`` float.
        terminated: ``(T, N)`` bool.
        truncated: ``(T, N)`` bool.
        value: ``(T, N)`` of what each step began with.
        next_value: ``(T, N)`` of what it led to, before any reset.
        gamma: discount in [0, 1].
        lambda_: in [0, 1].
    """
    advantage = td_target(reward, terminated, next_value, gamma) - value
    carried = gamma * lambda_ * (~(terminated | truncated)).to(advantage.dtype)
    steps, factors = advantage.unbind(), carried.unbind()  # views, for in-place steps of one call each
    for t in range(len(steps) - 2, -1, -1):
        steps[t].addcmul_(factors[t], steps[t + 1])
    return advantage


def q_lambda(
    reward: Tensor, terminated: Tensor, truncated: Tensor, next_values: Tensor, gamma: float, lambda_: float
) -> Tensor:
    """Return targets ``(T, N)`` of Peng's Q(lambda): lambda-returns that bootstrap from the best action.

    Actions other than the best do not cut them.

    Args:
        reward: ``(T, N)`` float.
        terminated: ``(T, N)`` bool.
        truncated: ``(T, N)`` bool.
        next_values: ``(T, N, A)`` of each action after the step, before any reset.
        gamma: discount in [0, 1].
        lambda_: in [0, 1].
    """
    return lambda_return(reward, terminated, truncated, next_values.amax(dim=-1), gamma, lambda_)
