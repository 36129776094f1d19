"""What a policy is worth: updates by hand on three states, ends, and the exact values of a random walk."""

from typing import Any

import numpy as np
import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.protocols import StateStep
from dlmodules.rl.tabular.monte_carlo_prediction import MonteCarloPrediction
from dlmodules.rl.tabular.prediction import Prediction
from dlmodules.rl.tabular.returns import lambda_return
from dlmodules.rl.tabular.td_prediction import TDPrediction
from dlmodules.rl.tabular.trajectories import Trajectories
from tests.dlmodules.rl.tabular.runs import BELT, SHORT_BELT, learnt

KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "first visits": (MonteCarloPrediction, {}),
    "every visit": (MonteCarloPrediction, {"first_visit": False}),
    "TD(0)": (TDPrediction, {"learning_rate": 0.5}),
    "4 steps": (TDPrediction, {"n": 4, "learning_rate": 0.5}),
    "lambda": (TDPrediction, {"trace_decay": 0.8, "learning_rate": 0.5}),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


class Rate(TDPrediction):
    rate = 0.5


def played(agent: Prediction, *steps: tuple[Any, ...]) -> list[float]:
    """The values after steps of one environment: state, reward, next state, how it ended."""
    agent.table = agent.v.numpy()
    for state, reward, next_state, end in steps:
        values = (state, 0, reward, next_state, end == "terminated", end == "truncated")
        agent.update(StateStep(*(np.array([value]) for value in values)))
    return agent.v.tolist()


def made(cls: Any, **arguments: Any) -> Any:
    agent = cls(num_states=3, num_actions=1, gamma=0.5, **arguments)
    agent.v.copy_(torch.tensor([2.0, 4.0, 8.0]))
    return agent


# From 0 to 1, back to 0, to 1 and to 2: states 0, 1, 0, 1.
EPISODE = ((0, 1.0, 1, ""), (1, 2.0, 0, ""), (0, 3.0, 1, ""))


@pytest.mark.parametrize(
    ("first_visit", "end", "expected"),
    [
        # Returns from the end: 4, 3 + 2 = 5, 2 + 2.5 = 4.5, 1 + 2.25 = 3.25.
        (True, "terminated", [3.25, 4.5, 8.0]),
        (False, "terminated", [(3.25 + 5) / 2, (4.5 + 4) / 2, 8.0]),
        # State 2 is worth 8, so 4 more at the end: 8, 7, 5.5, 3.75.
        (True, "truncated", [3.75, 5.5, 8.0]),
        (False, "truncated", [(3.75 + 7) / 2, (5.5 + 8) / 2, 8.0]),
    ],
)
def test_means_of_returns_by_hand(first_visit: bool, end: str, expected: list[float]) -> None:
    agent = made(MonteCarloPrediction, first_visit=first_visit)
    assert played(agent, *EPISODE) == [2.0, 4.0, 8.0]  # nothing before the end
    assert played(agent, (1, 4.0, 2, end)) == pytest.approx(expected)
    assert agent.visits.tolist() == ([1, 1, 0] if first_visit else [2, 2, 0])
    again = played(agent, (0, 1.0, 2, "terminated"))
    assert again[0] == pytest.approx((expected[0] * (1 if first_visit else 2) + 1) / (2 if first_visit else 3))


@pytest.mark.parametrize(("end", "value"), [("", 4.0), ("truncated", 4.0), ("terminated", 0.0)])
def test_one_step_by_hand(end: str, value: float) -> None:
    assert played(made(Rate), (0, 1.0, 1, end)) == [(2 + 1 + 0.5 * value) / 2, 4.0, 8.0]


@pytest.mark.parametrize(("end", "value"), [("truncated", 8.0), ("terminated", 0.0)])
def test_two_steps_by_hand(end: str, value: float) -> None:
    agent = made(Rate, n=2)
    assert played(agent, (0, 1.0, 1, "")) == [2.0, 4.0, 8.0]
    found = played(agent, (1, 2.0, 2, end))  # the last state moves, too
    assert found == [(2 + 1 + 0.5 * 2 + 0.25 * value) / 2, (4 + 2 + 0.5 * value) / 2, 8.0]
    # A shorter episode than two steps does not reach back into the one before.
    assert played(agent, (2, 1.0, 0, "terminated")) == [*found[:2], (8 + 1) / 2]


@pytest.mark.parametrize(("end", "value"), [("truncated", 8.0), ("terminated", 0.0)])
def test_lambda_by_hand(end: str, value: float) -> None:
    agent = made(Rate, trace_decay=0.5)
    assert played(agent, (0, 1.0, 1, "")) == [2.0, 4.0, 8.0]
    last = 2 + 0.5 * value
    assert played(agent, (1, 2.0, 2, end)) == pytest.approx(
        [(2 + 1 + 0.5 * (0.5 * 4 + 0.5 * last)) / 2, (4 + last) / 2, 8.0]
    )


def test_lambda_moves_a_state_for_each_time_it_was_seen() -> None:
    agent = made(Rate, trace_decay=0.7)
    steps = [*EPISODE, (1, 4.0, 2, "terminated")]
    target = lambda_return(np.array([1.0, 2.0, 3.0, 4.0]), np.array([4.0, 2.0, 4.0, 0.0]), 0.5, 0.7)
    # Half of the way to each of two: as far as three quarters of the way to their mean.
    expected = [2 + 0.75 * (target[[0, 2]].mean() - 2), 4 + 0.75 * (target[[1, 3]].mean() - 4), 8.0]
    assert played(agent, *steps) == pytest.approx(expected)


@every_kind
def test_several_environments_learn_as_one_after_another_would(kind: str) -> None:
    """Two episodes side by side, of different lengths and in states of their own, as each alone."""
    cls, arguments = KINDS[kind]
    cls = Rate if cls is TDPrediction else cls
    arguments = {"num_states": 6, "num_actions": 1, "gamma": 0.5, **arguments}
    state, reward = np.array([[0, 3], [1, 4], [2, 5], [0, 3]]), np.arange(8.0).reshape(4, 2)
    end = np.array([[False, False], [False, True], [True, False], [False, True]])
    both = cls(**arguments)
    both.trajectories = Trajectories(2)
    if cls is Rate:
        both._begin_episodes(2)
    apart = cls(**arguments)
    both.table = both.v.numpy()
    for s, r, e, after in zip(state, reward, end, np.roll(state, -1, 0), strict=True):
        both.update(StateStep(s, 0 * s, r, after, e, np.zeros(2, dtype=bool)))
    for lane in (0, 1):
        rows = zip(state[:, lane], reward[:, lane], np.roll(state, -1, 0)[:, lane], end[:, lane], strict=True)
        fresh = cls(**arguments)
        played(fresh, *((s, r, after, "terminated" if e else "") for s, r, after, e in rows))
        mine = slice(3 * lane, 3 * lane + 3)
        apart.v[mine] = fresh.v[mine]
    torch.testing.assert_close(both.v, apart.v)


@every_kind
@pytest.mark.parametrize(("env_id", "value"), [(BELT, 10.0), (SHORT_BELT, 1.0)])
def test_a_time_limit_does_not_end_the_value(kind: str, env_id: str, value: float) -> None:
    cls, arguments = KINDS[kind]
    steps = 2_000 if cls is TDPrediction else 5_000  # a mean forgets but slowly what it once took for the value
    agent = learnt(cls, env_id, steps, data={"vectorization": "table"}, gamma=0.9, **arguments)
    # 1 / (1 - 0.9): if the limit of 10 steps ended it, it were at most 6.5.
    assert agent.v.item() == pytest.approx(value, abs=1e-3 if cls is TDPrediction else 0.8)


@pytest.mark.parametrize("num_envs", [1, 3])
@every_kind
def test_same_seed_same_values_other_seed_others(kind: str, num_envs: int) -> None:
    cls, arguments = KINDS[kind]
    first, again, other = (
        learnt(cls, "dlmodules/RandomWalk-v0", 1_200, seed, data={"num_envs": num_envs}, **arguments)
        for seed in (0, 0, 1)
    )
    assert torch.equal(first.v, again.v)
    assert not torch.equal(first.v, other.v)


def test_the_policy_may_be_given() -> None:
    right = [[0.0, 1.0]] * 5
    agent = learnt(
        TDPrediction,
        "dlmodules/RandomWalk-v0",
        300,
        data={"env_kwargs": {"length": 3}},
        policy=right,
        learning_rate=1.0,
    )
    assert agent.v.tolist() == [0, 0, 1, 1, 0]
    assert agent.act(torch.arange(5)).tolist() == [1] * 5
    assert agent.trainer.callback_metrics["val/return"] == 1


def test_it_is_compared_with_the_exact_values_where_they_are_known() -> None:
    agent = learnt(TDPrediction, "dlmodules/RandomWalk-v0", 200, learning_rate=0.0)
    exact = np.arange(-9, 10) / 10
    assert agent.trainer.callback_metrics["val/value_error"] == pytest.approx(np.sqrt((exact**2).mean()))


def test_without_a_value_or_a_table_there_is_no_comparison() -> None:
    belt = learnt(TDPrediction, BELT, 200, gamma=1.0)
    assert "val/value_error" not in belt.trainer.callback_metrics
    bandit = learnt(TDPrediction, "Bandit-v0", 200)
    assert "val/value_error" not in bandit.trainer.callback_metrics


@pytest.mark.parametrize(
    ("cls", "arguments", "message"),
    [
        (TDPrediction, {"n": 0}, "n is 0"),
        (TDPrediction, {"n": 2, "trace_decay": 0.5}, "set one of them"),
        (TDPrediction, {"trace_decay": 1.5}, "trace_decay is 1.5"),
        (TDPrediction, {"policy": [[1.0, 0.0]]}, "2 for each of 21 states"),
        (MonteCarloPrediction, {"policy": [[0.7, 0.7]] * 21}, "add up to 1"),
        (MonteCarloPrediction, {"gamma": -1.0}, "gamma is -1.0"),
    ],
)
def test_arguments_are_checked(cls: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        cls(**arguments)


@pytest.mark.learning
@every_kind
def test_the_values_of_a_random_walk(kind: str) -> None:
    """Within three standard errors of the mean of four runs."""
    cls, arguments = KINDS[kind]
    if cls is TDPrediction:
        arguments = {**arguments, "learning_rate": 0.2, "learning_rate_end": 0.0}
    # Long runs of few environments: long episodes are lost more often when the budget is used up.
    walk = {"num_envs": 8, "vectorization": "table"}
    runs = torch.stack(
        [learnt(cls, "dlmodules/RandomWalk-v0", 60_000, seed, data=walk, **arguments).v[1:-1] for seed in range(4)]
    )
    exact = torch.arange(-9, 10, dtype=torch.float64) / 10
    deviation = runs.std(0).mean()
    assert 0.005 < deviation < 0.06
    assert (runs.mean(0) - exact).abs().max() < 3 * deviation / 4**0.5
