"""Environments drawn from a table of transitions, and a single environment without a vector around it."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from datamodules.environments.environment import EnvironmentDataModule
from datamodules.environments.table_stream import TableStream
from dlmodules.errors import UserError
from dlmodules.protocols import Dynamics
from tests.dlmodules.rl import known_environments


@pytest.fixture(autouse=True)
def _environments():
    known_environments.register()


def two_states(max_steps=None, initial=(1.0, 0.0, 0.0)):
    """State 0 stays with 1/4, goes to 1 with 3/4 and a reward of 2; 1 ends in 2 with a reward of 5."""
    return Dynamics(
        probability=torch.tensor([[[0.25, 0.75]], [[1.0, 0.0]], [[1.0, 0.0]]], dtype=torch.float64),
        next_state=torch.tensor([[[0, 1]], [[2, 2]], [[2, 2]]]),
        reward=torch.tensor([[[0.0, 2.0]], [[5.0, 0.0]], [[0.0, 0.0]]], dtype=torch.float64),
        terminated=torch.tensor([[[False, False]], [[True, True]], [[True, True]]]),
        initial=torch.tensor(initial, dtype=torch.float64),
        max_steps=max_steps,
    )


def test_steps_have_the_probabilities_of_the_table():
    stream = TableStream(two_states(), seed=0, num_envs=1000)
    action = np.zeros(1000, dtype=np.int64)
    step = stream.step_states(action)
    left = step.next_state == 1
    assert left.mean() == pytest.approx(0.75, abs=0.05)  # more than three standard errors
    assert np.array_equal(step.reward, 2.0 * left)
    assert not step.terminated.any()
    step = stream.step_states(action)
    assert np.array_equal(step.terminated, step.state == 1)
    assert step.next_state[step.terminated].tolist() == [2] * left.sum()
    assert stream.state[step.terminated].tolist() == [0] * left.sum()  # the next episode has begun
    assert (stream.episodes, set(stream.recent_returns), set(stream.recent_lengths)) == (left.sum(), {7.0}, {2})


def test_an_episode_that_is_cut_is_not_terminated():
    stream = TableStream(two_states(max_steps=1), seed=0, num_envs=50)
    step = stream.step_states(np.zeros(50, dtype=np.int64))
    assert step.truncated.all()
    assert not step.terminated.any()
    assert set(stream.state.tolist()) == {0}
    stream = TableStream(two_states(max_steps=1, initial=(0.0, 1.0, 0.0)), seed=0, num_envs=50)
    step = stream.step_states(np.zeros(50, dtype=np.int64))
    assert step.terminated.all()
    assert not step.truncated.any()  # it ended by itself, in the last step that it had


def test_episodes_begin_by_their_probabilities_or_anywhere():
    stream = TableStream(two_states(initial=(0.5, 0.5, 0.0)), seed=0, num_envs=1000)
    assert np.bincount(stream.state) / 1000 == pytest.approx([0.5, 0.5], abs=0.05)
    stream = TableStream(two_states(), seed=0, num_envs=1000, exploring_starts=True)
    assert np.bincount(stream.state) / 1000 == pytest.approx([0.5, 0.5], abs=0.05)  # not in the terminal state


@pytest.mark.parametrize("env_id", ["FrozenLake-v1", "Taxi-v4", "CliffWalking-v1"])
def test_the_table_is_that_of_gymnasium(env_id):
    table = EnvironmentDataModule(env_id).transitions
    env = gym.make(env_id).unwrapped
    for state in range(0, table.num_states, 7):
        for action in range(table.num_actions):
            outcomes = env.P[state][action]
            expected = sum(p * r for p, _, r, _ in outcomes)
            assert float((table.probability * table.reward)[state, action].sum()) == pytest.approx(expected)
            into = np.zeros(table.num_states)
            for p, after, _, _ in outcomes:
                into[after] += p
            found = np.zeros(table.num_states)
            np.add.at(found, table.next_state[state, action].numpy(), table.probability[state, action].numpy())
            assert found == pytest.approx(into)
    assert table.max_steps == gym.spec(env_id).max_episode_steps
    if env_id != "Taxi-v4":
        holes = {"FrozenLake-v1": [5, 7, 11, 12, 15], "CliffWalking-v1": [47]}[env_id]
        assert table.terminal.nonzero().flatten().tolist() == holes


def test_a_stream_goes_on_where_it_was():
    def stream():
        data = EnvironmentDataModule("FrozenLake-v1", num_envs=5, vectorization="table", seed=3)
        return data.train_envs

    rng = np.random.default_rng(0)
    actions = rng.integers(4, size=(60, 5))
    whole, broken = stream(), stream()
    for action in actions[:30]:
        whole.step_states(action)
        broken.step_states(action)
    state = broken.state_dict()
    resumed = stream()
    resumed.load_state_dict(state)
    for action in actions[30:]:
        one, other = whole.step_states(action), resumed.step_states(action)
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert (whole.episodes, list(whole.recent_returns)) == (resumed.episodes, list(resumed.recent_returns))
    other = EnvironmentDataModule("FrozenLake-v1", num_envs=4, vectorization="table").train_envs
    with pytest.raises(UserError, match="resume with num_envs=5"):
        other.load_state_dict(state)


def test_a_network_sees_the_same_steps_as_tensors():
    one, other = (TableStream(two_states(), seed=1, num_envs=4) for _ in range(2))
    action = np.zeros(4, dtype=np.int64)
    for _ in range(5):
        states, tensors = one.step_states(action), other.step(torch.from_numpy(action), {"x": torch.ones(4)})
        assert tensors.observation.tolist() == states.state.tolist()
        assert tensors.next_observation.tolist() == states.next_state.tolist()
        assert tensors.reward.dtype == torch.float32
        assert tensors.reward.tolist() == states.reward.tolist()
        assert tensors.info["x"].tolist() == [1] * 4
        assert other.observation.tolist() == other.state.tolist()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"env_id": "CartPole-v1", "vectorization": "table"}, "observations Box.* a table needs numbered ones"),
        ({"env_id": "Bandit-v0", "vectorization": "table"}, "has no table P of its transitions"),
        ({"env_id": "FrozenLake-v1", "exploring_starts": True}, "needs vectorization: table"),
    ],
)
def test_what_has_no_table_is_refused(arguments, line):
    with pytest.raises(UserError, match=line):
        EnvironmentDataModule(**arguments).train_envs  # noqa: B018 (asking for it makes it)


@pytest.mark.parametrize("env_id", ["KnownCorridor-v0", "Film-v0", "FrozenLake-v1", "Treadmill-v0"])
def test_one_environment_alone_steps_as_the_first_of_a_vector_does(env_id):
    one = EnvironmentDataModule(env_id, num_envs=1, seed=2).train_envs
    two = EnvironmentDataModule(env_id, num_envs=2, seed=2).train_envs
    for number in range(40):
        alone = one.step(torch.tensor([number % 2]))
        first = two.step(torch.tensor([number % 2, 0]))
        for name in ("observation", "next_observation", "reward", "terminated", "truncated", "action"):
            single, row = getattr(alone, name), getattr(first, name)[:1]
            assert torch.equal(single, row), name
            assert single.dtype == row.dtype
        assert torch.equal(one.observation, two.observation[:1])
    assert one.episodes > 0


def test_numbered_states_are_plain_numbers_where_there_is_one_environment():
    stream = EnvironmentDataModule("FrozenLake-v1", num_envs=1).train_envs
    step = stream.step_states(1)
    assert [type(value) for value in (stream.state, step.state, step.next_state)] == [int] * 3
    assert (type(step.terminated), step.action) == (bool, 1)
    rows = EnvironmentDataModule("FrozenLake-v1", num_envs=3).train_envs
    assert rows.step_states(np.array([1, 1, 1])).next_state.shape == (3,)
