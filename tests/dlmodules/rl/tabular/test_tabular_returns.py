"""Returns against naive loops over their definitions."""

import numpy as np
import pytest

from dlmodules.rl.tabular.returns import discounted_returns, lambda_return, n_step_return

RNG = np.random.default_rng(0)
REWARD = RNG.normal(size=(7, 3))
NEXT_VALUE = RNG.normal(size=(7, 3))
gammas = pytest.mark.parametrize("gamma", [0.0, 0.9, 1.0])
decays = pytest.mark.parametrize("trace_decay", [0.0, 0.4, 0.95, 1.0])


def naive_n_step(t: int, n: int, gamma: float) -> np.ndarray:
    """From step t: n rewards, and the value of what follows; at the end of the episode fewer."""
    end = min(t + n, len(REWARD))
    rewards = sum(gamma ** (i - t) * REWARD[i] for i in range(t, end))
    return rewards + gamma ** (end - t) * NEXT_VALUE[end - 1]


@gammas
def test_discounted_returns(gamma: float) -> None:
    found = discounted_returns(REWARD, gamma, NEXT_VALUE[-1])
    np.testing.assert_allclose(found, [naive_n_step(t, 99, gamma) for t in range(7)], rtol=0, atol=1e-12)


def test_discounted_returns_by_hand() -> None:
    # Not G + gamma r, which would give 1 + 0.5 * (2 + ...) in another order.
    assert discounted_returns(np.array([1.0, 2.0, 4.0]), 0.5).tolist() == [3.0, 4.0, 4.0]
    assert discounted_returns(np.array([1.0, 2.0, 4.0]), 0.5, 8.0).tolist() == [4.0, 6.0, 8.0]


@gammas
def test_n_step_return(gamma: float) -> None:
    for n in (1, 2, 5):
        np.testing.assert_allclose(
            n_step_return(REWARD[1 : 1 + n], gamma, NEXT_VALUE[n]), naive_n_step(1, n, gamma), rtol=0, atol=1e-12
        )


@gammas
@decays
def test_lambda_return_is_the_weighted_mean_of_all_n_step_returns(gamma: float, trace_decay: float) -> None:
    """The forward view: (1 - lambda) lambda^(n - 1) each, and what is left for the whole episode."""
    expected = []
    for t in range(7):
        left = 7 - t
        mean = sum((1 - trace_decay) * trace_decay ** (n - 1) * naive_n_step(t, n, gamma) for n in range(1, left))
        expected.append(mean + trace_decay ** (left - 1) * naive_n_step(t, left, gamma))
    np.testing.assert_allclose(lambda_return(REWARD, NEXT_VALUE, gamma, trace_decay), expected, rtol=0, atol=1e-10)


@gammas
@decays
def test_the_forward_view_moves_values_as_far_as_eligibility_traces_do(gamma: float, trace_decay: float) -> None:
    """Offline TD(lambda): the sum of an episode's increments, with the values as they were before it."""
    state = RNG.integers(4, size=30)
    value, reward = RNG.normal(size=4), RNG.normal(size=30)
    next_value = np.append(value[state[1:]], 0.0)
    forward, backward, trace = np.zeros(4), np.zeros(4), np.zeros(4)
    np.add.at(forward, state, lambda_return(reward, next_value, gamma, trace_decay) - value[state])
    for t in range(30):
        trace *= gamma * trace_decay
        trace[state[t]] += 1
        backward += (reward[t] + gamma * next_value[t] - value[state[t]]) * trace
    np.testing.assert_allclose(forward, backward, rtol=0, atol=1e-10)


def test_ends_of_lambda() -> None:
    np.testing.assert_allclose(lambda_return(REWARD, NEXT_VALUE, 0.9, 0.0), REWARD + 0.9 * NEXT_VALUE)
    np.testing.assert_allclose(
        lambda_return(REWARD, NEXT_VALUE, 0.9, 1.0), discounted_returns(REWARD, 0.9, NEXT_VALUE[-1])
    )
