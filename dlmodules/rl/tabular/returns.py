"""Returns of an episode, as pure functions of numpy arrays. The first axis is time; what else there is stays apart."""

from typing import Any

import numpy as np

from dlmodules.protocols.dynamics import Numbers


def discounted_returns(reward: Numbers, gamma: float, last_value: Any = 0.0) -> Numbers:
    """Return the sums ``(T, ...)`` of discounted rewards from each step on: G = gamma G + r, from the end backwards.

    Args:
        reward: ``(T, ...)``.
        gamma: discount in [0, 1].
        last_value: of what follows the last step, ``(...)`` or one number; 0 where a terminal state was reached.
    """
    returns = np.empty_like(reward)
    total = last_value
    for t in range(len(reward) - 1, -1, -1):
        total = reward[t] + gamma * total
        returns[t] = total
    return returns


def n_step_return(reward: Numbers, gamma: float, last_value: Any = 0.0) -> Any:
    """Return ``(...)``: the discounted rewards ``(n, ...)`` of n steps and ``last_value`` of what follows them."""
    discounts = gamma ** np.arange(len(reward) + 1)
    return np.tensordot(discounts[:-1], reward, 1) + discounts[-1] * last_value


def lambda_return(reward: Numbers, next_value: Numbers, gamma: float, trace_decay: float) -> Numbers:
    """Return the mean ``(T, ...)`` of the n-step returns of each step, each weighted by ``trace_decay`` to its n - 1.

    What is left of the weights is that of the return of the whole episode.

    Args:
        reward: ``(T, ...)``.
        next_value: ``(T, ...)`` value of the state after each step; the last one is 0 where it is terminal.
        gamma: discount in [0, 1].
        trace_decay: lambda, in [0, 1]. 0 is the one-step return, 1 that of the whole episode.
    """
    returns = np.empty_like(next_value)
    total: Any = next_value[-1]
    for t in range(len(reward) - 1, -1, -1):
        total = reward[t] + gamma * ((1 - trace_decay) * next_value[t] + trace_decay * total)
        returns[t] = total
    return returns
