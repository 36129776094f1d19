"""Every space that an agent can meet comes through the stream with its shape and dtype."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from datamodules.environments.environment import EnvironmentDataModule
from dlmodules.errors import UserError
from tests.dlmodules.rl.known_environments import register

register()


@pytest.mark.parametrize("vectorization", ["sync", "async"])
@pytest.mark.parametrize(
    ("env_id", "action", "observation_shape", "observation_dtype"),
    [
        ("FrozenLake-v1", torch.tensor([0, 2, 1]), (), torch.int64),
        (max(name for name in gym.registry if name.startswith("Taxi-v")), torch.tensor([0, 2, 1]), (), torch.int64),
        ("Pendulum-v1", torch.tensor([[0.5], [-2.0], [0.0]]), (3,), torch.float32),
        ("Dials-v0", torch.tensor([[1, 2, 3], [0, 0, 0], [1, 0, 2]]), (3,), torch.float32),
        ("Film-v0", torch.tensor([0, 1, 1]), (40, 40), torch.uint8),
    ],
)
def test_shapes_and_dtypes_to_the_end_of_an_episode(
    env_id: str,
    action: torch.Tensor,
    observation_shape: tuple[int, ...],
    observation_dtype: torch.dtype,
    vectorization: Any,
) -> None:
    data = EnvironmentDataModule(env_id, num_envs=3, env_kwargs={"max_episode_steps": 4}, vectorization=vectorization)
    assert data.action_space.shape == action.shape[1:]
    assert data.observation_space.shape == observation_shape
    stream = data.train_envs
    ended = torch.zeros(3, dtype=torch.bool)
    for _ in range(4):
        seen = stream.observation.clone()
        step = stream.step(action, {"value": torch.arange(3.0)})
        assert torch.equal(step.observation, seen)
        assert torch.equal(step.action, action)
        assert step.action.dtype == action.dtype
        for observation in (step.observation, step.next_observation, stream.observation):
            assert observation.shape == (3, *observation_shape)
            assert observation.dtype == observation_dtype
        assert step.reward.dtype == torch.float32
        assert step.terminated.dtype == step.truncated.dtype == torch.bool
        assert step.info["value"].tolist() == [0, 1, 2]
        assert (step.truncated | step.terminated).tolist() == step.ended.tolist()
        ended |= step.ended
    assert ended.all()
    data.teardown("fit")


def test_numbered_observations_are_those_of_the_environment() -> None:
    stream = EnvironmentDataModule("FrozenLake-v1", num_envs=2, env_kwargs={"is_slippery": False}).train_envs
    right, down = 2, 1
    path = [right, right, down, down, down, right]
    states = [stream.step(torch.full((2,), action)).next_observation.tolist() for action in path]
    assert states == [[state] * 2 for state in (1, 2, 6, 10, 14, 15)]  # the goal, and not the start that follows
    assert stream.observation.tolist() == [0, 0]
    assert list(stream.recent_returns) == [1, 1]


@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_an_environment_that_reuses_its_array_keeps_its_last_observation(vectorization: Any) -> None:
    stream = EnvironmentDataModule("ReusedFilm-v0", num_envs=2, vectorization=vectorization).train_envs
    for _ in range(30):
        step = stream.step(torch.tensor([0, 1]))
        for before, after, move in zip(step.observation, step.next_observation, (-1, 1), strict=True):
            assert after.flatten().argmax() == before.flatten().argmax() + move
    assert stream.episodes > 4
    stream.close()


def test_actions_are_cast_to_their_space_and_their_shape_is_checked() -> None:
    stream = EnvironmentDataModule("Pendulum-v1", num_envs=2).train_envs
    step = stream.step(torch.tensor([[0.5], [1.0]], dtype=torch.float64))
    assert step.action.dtype == torch.float32
    with pytest.raises(ValueError, match=r"the actions have shape \(2,\), not \(2, 1\)"):
        stream.step(torch.zeros(2))


def test_a_restored_stream_goes_on_with_actions_of_several_numbers(tmp_path) -> None:
    for env_id, action in (("Dials-v0", [[1, 2, 3], [0, 1, 0]]), ("Pendulum-v1", [[0.5], [-1.0]])):
        data = EnvironmentDataModule(env_id, num_envs=2)
        for _ in range(8):
            data.train_envs.step(torch.tensor(action))
        torch.save(data.state_dict(), tmp_path / "state.pt")
        expected = data.train_envs.step(torch.tensor(action)).next_observation
        resumed = EnvironmentDataModule(env_id, num_envs=2)
        resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
        assert torch.equal(resumed.train_envs.step(torch.tensor(action)).next_observation, expected)


def test_stacked_frames_are_counted_where_they_are_stacked() -> None:
    stack = {"class_path": "gymnasium.wrappers.FrameStackObservation", "init_args": {"stack_size": 4}}
    assert EnvironmentDataModule("Film-v0").stacked_frames == 1
    stacked = EnvironmentDataModule("Film-v0", wrappers=[stack])
    assert (stacked.stacked_frames, stacked.observation_shape) == (4, (4, 40, 40))
    assert EnvironmentDataModule("Film-v0", wrappers=[stack, scaled]).stacked_frames == 4
    flat = EnvironmentDataModule("Film-v0", wrappers=[stack, "gymnasium.wrappers.FlattenObservation"])
    assert flat.stacked_frames == 1


def scaled(env: gym.Env) -> gym.Env:
    return gym.wrappers.TransformObservation(
        env, lambda x: (x / 255).astype(np.float32), gym.spaces.Box(0, 1, (4, 40, 40), np.float32)
    )


def test_what_is_no_array_is_one_clear_line() -> None:
    data = EnvironmentDataModule("Named-v0")
    with pytest.raises(UserError, match=r"Named-v0 has observations Dict.*FlattenObservation") as caught:
        _ = data.train_envs
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"Dials-v0 has actions MultiDiscrete.* needs discrete ones"):
        _ = EnvironmentDataModule("Dials-v0").num_actions


@pytest.mark.parametrize(
    ("action_space", "complaint"),
    [
        (
            gym.spaces.Discrete(2),
            r"^Rows-v0 has actions Discrete\(2\), and this agent needs a row of numbers for each: ",
        ),
        (
            gym.spaces.Box(-1, 1, (2, 3)),
            r"^Rows-v0 has actions Box.*, and this agent needs a row of numbers for each: ",
        ),
        (
            gym.spaces.Box(-np.inf, np.inf, (2,)),
            r"^Rows-v0 has actions Box.* without bounds: wrap it so that they have",
        ),
    ],
)
def test_actions_that_are_no_bounded_row_of_numbers_are_one_clear_line(action_space: gym.Space, complaint: str) -> None:
    from datamodules.environments.spaces import count_action_numbers

    with pytest.raises(UserError, match=complaint):
        count_action_numbers("Rows-v0", action_space)


def test_the_numbers_of_an_action_are_counted() -> None:
    assert EnvironmentDataModule("MountainCarContinuous-v0").action_dim == 1
