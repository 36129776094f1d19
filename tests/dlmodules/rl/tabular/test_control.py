"""Each agent's update by hand on three states, its ends, its chance, and what it learns."""

from typing import Any

import numpy as np
import pytest
import torch

from datamodules.environments.environment import EnvironmentDataModule
from dlmodules.protocols import StateStep
from dlmodules.rl.exploration import Epsilon
from dlmodules.rl.tabular.base import TabularAgent
from dlmodules.rl.tabular.double_q import DoubleQLearning
from dlmodules.rl.tabular.q_learning import QLearning
from dlmodules.rl.tabular.sarsa import ExpectedSarsa, Sarsa
from dlmodules.rl.tabular.updates import move_towards
from tests.dlmodules.rl.tabular.runs import BELT, SHORT_BELT, expected_return, learnt, trained

AGENTS = (QLearning, Sarsa, ExpectedSarsa, DoubleQLearning)
every_agent = pytest.mark.parametrize("cls", AGENTS)
TABLE = torch.tensor([[1.0, 2.0], [3.0, 5.0], [0.0, 0.0]], dtype=torch.float64)


def prepared(cls: type[TabularAgent], **arguments: Any) -> Any:
    """An agent of three states and two actions with TABLE, that moves half of the way."""
    torch.manual_seed(0)
    agent = cls(**{"num_states": 3, "num_actions": 2, "gamma": 0.9, "learning_rate": 0.5, **arguments})
    agent.q.copy_(TABLE)
    agent.load_tables()
    agent.now.rate, agent.now.epsilon = 0.5, 0.2
    return agent


def after(agent: Any, step: StateStep) -> torch.Tensor:
    agent.update(step)
    agent.store_tables()
    return agent.q


# From state 0 by action 1 to state 1 for a reward of 1: half of the way from 2 to 1 + 0.9 * next value.
STEP = StateStep(0, 1, 1.0, 1, False, False)
BY_HAND = {
    QLearning: (2 + 1 + 0.9 * 5) / 2,
    Sarsa: (2 + 1 + 0.9 * 3) / 2,  # the next action is 0
    ExpectedSarsa: (2 + 1 + 0.9 * (0.8 * 5 + 0.2 * 4)) / 2,
}


@pytest.mark.parametrize("cls", BY_HAND)
@pytest.mark.parametrize("terminated", [False, True])
@pytest.mark.parametrize("lanes", [None, 1])
def test_an_update_by_hand(cls: type[TabularAgent], terminated: bool, lanes: int | None) -> None:
    agent = prepared(cls)
    step = STEP._replace(terminated=terminated)
    if lanes:
        step = StateStep(*(np.array([value]) for value in step))
    if isinstance(agent, Sarsa):
        agent.pending = np.array([0]) if lanes else 0
    expected = TABLE.clone()
    expected[0, 1] = (2 + 1) / 2 if terminated else BY_HAND[cls]
    torch.testing.assert_close(after(agent, step), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("cls", BY_HAND)
def test_a_truncated_step_is_worth_what_would_have_followed(cls: type[TabularAgent]) -> None:
    agent = prepared(cls)
    agent.pending = 0
    assert after(agent, STEP._replace(truncated=True))[0, 1] == pytest.approx(BY_HAND[cls])


@pytest.mark.parametrize("coin", [0, 1])
def test_each_of_two_tables_is_told_by_the_other_what_its_best_action_is_worth(coin: int) -> None:
    agent = prepared(DoubleQLearning)
    agent.q_other.copy_(torch.tensor([[0.0, 0.0], [7.0, 4.0], [0.0, 0.0]]))
    agent.load_tables()
    agent.rng = Coin(coin)
    agent.update(STEP)
    agent.store_tables()
    if coin == 0:  # the first table's best action in state 1 is 1, which is worth 4 to the other one
        assert agent.q[0, 1] == pytest.approx((2 + 1 + 0.9 * 4) / 2)
        assert agent.q_other[0, 1] == 0
    else:  # the second table's is 0, which is worth 3 to the first one
        assert agent.q_other[0, 1] == pytest.approx((0 + 1 + 0.9 * 3) / 2)
        assert torch.equal(agent.q, TABLE)


class Coin:
    def __init__(self, side: int) -> None:
        self.side = side

    def integers(self, high: int, size: tuple[int, ...]) -> Any:
        assert (high, size) == (2, ())
        return self.side


def test_two_tables_act_on_their_sum() -> None:
    agent = prepared(DoubleQLearning)
    agent.q_other.copy_(torch.tensor([[3.0, 1.0], [0.0, 0.0], [0.0, 0.0]]))
    agent.load_tables()
    agent.now.epsilon = 0.0
    assert agent.choose(0) == 0
    assert agent.choose(np.array([0, 1])).tolist() == [0, 1]
    assert agent.act(torch.tensor([0, 1])).tolist() == [0, 1]
    torch.testing.assert_close(agent(torch.tensor([0])), torch.tensor([[2.0, 1.5]], dtype=torch.float64))


def test_updates_of_one_entry_at_once_are_as_far_as_one_after_another() -> None:
    table = np.zeros(4)
    error = move_towards(table, np.array([1, 1, 3]), np.array([1.0, 1.0, 2.0]), 0.5)
    assert table.tolist() == [0, 0.75, 0, 1]
    assert error.tolist() == [1, 1, 2]


@pytest.mark.parametrize("state", [0, np.zeros(1, dtype=np.int64)], ids=["one", "many"])
@pytest.mark.parametrize(("epsilon", "share"), [(0.0, (0, 1)), (0.4, (0.2, 0.8)), (1.0, (0.5, 0.5))])
def test_it_explores_as_often_as_it_is_told(state: Any, epsilon: float, share: tuple[float, float]) -> None:
    agent = prepared(QLearning)
    agent.now.epsilon = epsilon
    count = np.bincount([int(np.squeeze(agent.choose(state))) for _ in range(4000)], minlength=2) / 4000
    assert count == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("state", [0, np.zeros(1, dtype=np.int64)], ids=["one", "many"])
def test_of_several_best_actions_each_is_done_as_often(state: Any) -> None:
    agent = QLearning(num_states=1, num_actions=3)
    agent.load_tables()
    agent.table[0] = (1.0, 0.5, 1.0)
    count = np.bincount([int(np.squeeze(agent.choose(state))) for _ in range(4000)], minlength=3) / 4000
    assert count == pytest.approx((0.5, 0, 0.5), abs=0.03)


@pytest.mark.parametrize("num_envs", [1, 4])
def test_sarsa_does_what_it_has_chosen(num_envs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[StateStep] = []
    pending: list[Any] = []
    update = Sarsa.update

    def seen(self: Sarsa, step: StateStep) -> None:
        steps.append(step)
        pending.append(np.copy(self.pending))
        update(self, step)

    monkeypatch.setattr(Sarsa, "update", seen)
    learnt(Sarsa, "FrozenLake-v1", 400 * num_envs, data={"num_envs": num_envs}, exploration=Epsilon(1.0))
    ends = 0
    for before, chosen, later in zip(steps, pending, steps[1:], strict=False):
        running = ~np.atleast_1d(before.terminated | before.truncated)
        ends += (~running).sum()
        assert np.array_equal(np.atleast_1d(chosen)[running], np.atleast_1d(later.action)[running])
    assert ends > 30


class ByState(Sarsa):
    """Chooses its actions by the state, so that one sees for which it chose."""

    def choose(self, state: Any) -> Any:
        return (state + 1) % 4

    def update(self, step: StateStep) -> None:
        assert np.array_equal(step.action, self.choose(step.state))
        self.seen = getattr(self, "seen", 0) + 1


@pytest.mark.parametrize("num_envs", [1, 4])
def test_sarsa_chooses_anew_where_another_episode_begins(num_envs: int) -> None:
    data = {"num_envs": num_envs, "vectorization": "table", "exploring_starts": True}
    assert learnt(ByState, "FrozenLake-v1", 100 * num_envs, data=data).seen == 100
    assert learnt(ByState, "Taxi-v4", 450, data={"num_envs": 1}).seen == 450


@every_agent
@pytest.mark.parametrize(("env_id", "value"), [(BELT, 10.0), (SHORT_BELT, 1.0)])
@pytest.mark.parametrize("vectorization", ["sync", "table"])
def test_a_time_limit_does_not_end_the_value(cls: Any, env_id: str, value: float, vectorization: str) -> None:
    agent = learnt(cls, env_id, 3_000, data={"vectorization": vectorization}, learning_rate=0.5)
    # 1 / (1 - 0.9): if the limit of 10 steps ended it, it were at most 6.5.
    assert agent.q.flatten().tolist() == pytest.approx([value] * 2, abs=1e-3)


@every_agent
@pytest.mark.parametrize("num_envs", [1, 3])
def test_same_seed_same_table_other_seed_another(cls: Any, num_envs: int) -> None:
    first, again, other = (
        learnt(cls, "CliffWalking-v1", 600, seed, data={"num_envs": num_envs, "env_kwargs": {"max_episode_steps": 50}})
        for seed in (0, 0, 1)
    )
    assert torch.equal(first.q, again.q)
    assert not torch.equal(first.q, other.q)


def test_the_test_computes_what_is_to_be_expected() -> None:
    agent = learnt(
        QLearning, "FrozenLake-v1", 20_000, data={"num_envs": 64, "vectorization": "table", "test_episodes": 300}
    )
    [metrics] = agent.trainer.test(agent, agent.trainer.datamodule, verbose=False)
    exact = metrics["test/exact_return"]
    assert 0.1 < exact < 0.75
    assert metrics["test/return"] == pytest.approx(exact, abs=3 * (exact * (1 - exact) / 300) ** 0.5)


def test_without_a_limit_or_a_table_nothing_is_to_be_expected() -> None:
    agent = learnt(
        QLearning, "CliffWalking-v1", 20_000, data={"num_envs": 8, "vectorization": "table", "test_episodes": 1}
    )
    assert agent.trainer.datamodule.transitions.max_steps is None
    assert "test/exact_return" not in agent.trainer.test(agent, agent.trainer.datamodule, verbose=False)[0]


@pytest.mark.learning
def test_the_best_policy_of_a_slippery_lake() -> None:
    assert [expected_return(trained("q_learning_frozen_lake", seed)) for seed in range(3)] == pytest.approx(
        [0.7402] * 3, abs=1e-3
    )


@pytest.mark.learning
def test_a_lake_without_slipping_is_crossed_every_time() -> None:
    assert expected_return(trained("q_learning_frozen_lake_deterministic", 0)) == 1.0


@pytest.mark.learning
def test_the_best_policy_of_a_taxi() -> None:
    assert expected_return(trained("q_learning_taxi", 0)) == pytest.approx(7.93, abs=0.02)


@pytest.mark.learning
def test_at_a_cliff_q_learning_finds_the_best_way_and_sarsa_fares_better_while_it_learns() -> None:
    q, sarsa, mean = (trained(f"{name}_cliff_walking", 0) for name in ("q_learning", "sarsa", "expected_sarsa"))
    assert q.trainer.callback_metrics["val/return"] == -13
    assert -17 <= sarsa.trainer.callback_metrics["val/return"] <= -15
    assert -17 <= mean.trainer.callback_metrics["val/return"] <= -15
    online = [float(agent.trainer.callback_metrics["train/return"]) for agent in (q, sarsa, mean)]
    assert online[1] > online[0] + 10
    assert online[2] > online[0] + 10


class Watched:
    """Environments of which one sees how often the agent went left from A, in so many episodes."""

    def __init__(self, envs: Any) -> None:
        self.envs = envs
        self.lefts: list[bool] = []

    @property
    def state(self) -> int:
        return int(self.envs.state)

    def step_states(self, action: int) -> StateStep:
        if self.state == 1:
            self.lefts.append(action == 0)
        return self.envs.step_states(action)


@pytest.mark.learning
def test_two_tables_do_not_take_luck_for_value() -> None:
    errors = {}
    for cls in (QLearning, DoubleQLearning):
        lefts: list[bool] = []
        for seed in range(10):
            torch.manual_seed(seed)
            agent = cls(num_states=3, num_actions=10, gamma=1.0)
            agent.load_tables()
            agent.now.rate = agent.now.epsilon = 0.1
            source = EnvironmentDataModule("dlmodules/MaximizationBias-v0", num_envs=1, seed=seed)
            watched = Watched(source.train_envs)
            while len(watched.lefts) < 100:
                agent.advance(watched)
            lefts += watched.lefts
        errors[cls] = np.mean(lefts)
    assert errors[DoubleQLearning] < errors[QLearning] - 0.3
