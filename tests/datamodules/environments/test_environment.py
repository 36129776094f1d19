import subprocess
import sys
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from pytorch_lightning import Trainer
from pytorch_lightning.demos.boring_classes import BoringModel

from datamodules.environments.environment import EnvironmentDataModule
from datamodules.environments.replay import ReplayableEnv, episode_seed
from dlmodules.errors import UserError


def actions(steps: int, num_envs: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(2, size=(steps, num_envs))


def play(data: EnvironmentDataModule, actions: np.ndarray) -> list[np.ndarray]:
    """Step the training environments and return everything that comes back."""
    stream = data.train_envs
    played = []
    for a in actions:
        step = stream.step(torch.from_numpy(a))
        parts = (step.reward, step.next_observation, step.terminated, step.truncated, stream.observation)
        played.append(np.concatenate([np.ravel(part) for part in parts]))
    return played


def short_cartpole(**arguments: Any) -> EnvironmentDataModule:
    return EnvironmentDataModule(**{"num_envs": 3, "env_kwargs": {"max_episode_steps": 12}, **arguments})


def test_sizes_are_known_right_after_construction() -> None:
    data = EnvironmentDataModule()
    assert (data.observation_shape, data.observation_dim, data.num_actions) == ((4,), 4, 2)


def test_a_truncated_episode_hands_out_its_last_observation_and_goes_on_with_the_next() -> None:
    data = EnvironmentDataModule(num_envs=2, env_kwargs={"max_episode_steps": 3})
    stream = data.train_envs
    twin = gym.make("CartPole-v1")
    twin.reset(seed=episode_seed("train", 0, 1, 0))  # the second environment's first episode
    for number in range(3):
        expected = twin.step(1)[0]
        step = stream.step(torch.tensor([0, 1]))
        assert np.array_equal(step.next_observation[1], expected)
        assert step.truncated.tolist() == [number == 2] * 2
        assert not step.terminated.any()
        assert step.reward.tolist() == [1, 1]
        assert step.reward.dtype == torch.float32
    first_of_next = twin.reset(seed=episode_seed("train", 0, 1, 1))[0]
    assert np.array_equal(stream.observation[1], first_of_next)
    assert list(stream.recent_returns) == [3, 3]
    assert list(stream.recent_lengths) == [3, 3]
    assert stream.episodes == 2


def test_a_fallen_pole_is_terminated_not_truncated() -> None:
    stream = EnvironmentDataModule(num_envs=1).train_envs
    for _ in range(30):
        step = stream.step(torch.tensor([1]))
        if step.terminated[0]:
            break
    assert step.terminated[0]
    assert not step.truncated[0]
    assert abs(step.next_observation[0, 2]) > 0.2095  # fallen beyond 12 degrees ...
    assert abs(stream.observation[0, 2]) < 0.05  # ... and standing upright again


def test_equal_seeds_give_equal_episodes_and_other_seeds_others() -> None:
    first, second, other = (play(short_cartpole(seed=seed), actions(40, 3)) for seed in (5, 5, 6))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_environments_side_by_side_play_different_episodes() -> None:
    observation = short_cartpole().train_envs.observation
    assert len(np.unique(observation[:, 0])) == 3


@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_a_restored_stream_goes_on_bitwise(vectorization: Any, tmp_path) -> None:
    data = short_cartpole(vectorization=vectorization)
    play(data, actions(29, 3))  # into the middle of the third episodes
    torch.save(data.state_dict(), tmp_path / "state.pt")
    unbroken = play(data, actions(40, 3, seed=1))
    books = data.train_envs.state_dict()
    data.teardown("fit")

    resumed = short_cartpole(vectorization=vectorization)
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert all(np.array_equal(a, b) for a, b in zip(unbroken, play(resumed, actions(40, 3, seed=1)), strict=True))
    state = resumed.train_envs.state_dict()
    for name in ("episodes", "recent_returns", "recent_lengths"):
        assert state[name] == books[name]
    assert torch.equal(state["returns"], books["returns"])
    assert torch.equal(state["lengths"], books["lengths"])
    resumed.teardown("fit")


def test_a_running_stream_can_be_set_back() -> None:
    data = short_cartpole()
    play(data, actions(7, 3))
    state = data.state_dict()
    first = play(data, actions(20, 3, seed=1))
    data.load_state_dict(state)
    assert all(np.array_equal(a, b) for a, b in zip(first, play(data, actions(20, 3, seed=1)), strict=True))


def test_a_checkpoint_after_the_run_still_knows_where_the_environments_stood() -> None:
    data = short_cartpole()
    play(data, actions(7, 3))
    before = data.state_dict()["train_envs"]["observation"]
    data.teardown("fit")
    assert torch.equal(data.state_dict()["train_envs"]["observation"], before)
    data.setup("fit")  # a new run starts anew
    assert data.state_dict() == {"env_id": "CartPole-v1", "train_envs": None}


class Forgetful(gym.ObservationWrapper):
    """Shifts observations by a number that grows with every episode and that no seed sets back."""

    def __init__(self, env: gym.Env) -> None:
        super().__init__(env)
        self.episodes = 0

    def reset(self, **arguments: Any) -> Any:
        self.episodes += 1
        return super().reset(**arguments)

    def observation(self, observation: Any) -> Any:
        return observation + np.float32(self.episodes)


def test_an_environment_that_does_not_repeat_itself_is_reported() -> None:
    data = short_cartpole(wrappers=[Forgetful])
    play(data, actions(29, 3))
    resumed = short_cartpole(wrappers=[Forgetful])
    resumed.load_state_dict(data.state_dict())
    with pytest.warns(UserWarning, match="does not repeat itself"):
        _ = resumed.train_envs


def test_seeds_of_training_validation_and_test_never_meet() -> None:
    data = EnvironmentDataModule(eval_episodes=500, test_episodes=500)
    splits = {split: set(data.evaluation_seeds(split)) for split in ("val", "test")}
    splits["train"] = {episode_seed("train", 0, index, episode) for index in range(8) for episode in range(200)}
    limits = {"val": (0, 2**29), "test": (2**29, 2**30), "train": (2**30, 2**31)}
    for split, seeds in splits.items():
        low, high = limits[split]
        assert all(low <= seed < high for seed in seeds)
        assert len(seeds) >= 500  # and they differ among themselves


def test_every_training_episode_is_reset_with_its_own_seed() -> None:
    class Recorder(gym.Wrapper):
        seeds: list[int | None] = []  # noqa: RUF012 (what all instances saw)

        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            self.seeds.append(seed)
            return super().reset(seed=seed, options=options)

    env = ReplayableEnv(Recorder(gym.make("CartPole-v1")), seed=3, index=1)
    for _ in range(3):
        env.reset()
    assert Recorder.seeds == [episode_seed("train", 3, 1, episode) for episode in range(3)]


def test_wrappers_are_applied_from_the_inside_and_survive_as_plain_values() -> None:
    flatten = "gymnasium.wrappers.FlattenObservation"
    stack = {"class_path": "gymnasium.wrappers.FrameStackObservation", "init_args": {"stack_size": 3}}
    data = EnvironmentDataModule(wrappers=[stack, flatten, Forgetful])
    assert data.observation_shape == (12,)
    env = data.make_env()
    assert type(env) is Forgetful
    assert data.hparams["wrappers"] == [stack, flatten, f"{Forgetful.__module__}.Forgetful"]


def test_double_precision_observations_become_float32_everywhere() -> None:
    data = EnvironmentDataModule(wrappers=[as_float64])
    assert data.train_envs.observation.dtype == torch.float32
    assert data.make_env().reset(seed=0)[0].dtype == np.float32


def as_float64(env: gym.Env) -> gym.Env:
    return gym.wrappers.DtypeObservation(env, np.float64)


def test_pictures_can_be_drawn() -> None:
    env = EnvironmentDataModule().make_env(render_mode="rgb_array")
    env.reset(seed=0)
    frame = env.render()
    env.close()
    assert isinstance(frame, np.ndarray)
    assert frame.shape[2] == 3
    assert frame.std() > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"env_id": "CartPol-v1"}, "no environment CartPol-v1: .*Did you mean: `CartPole`"),
        ({"env_id": "CartPole-v9"}, "no environment CartPole-v9: .*`v1`"),
        ({"env_id": "xyz"}, "no environment xyz: .*Known without further packages: .*CartPole"),
        ({"env_id": "cart pole"}, "cart pole cannot be made: Malformed"),
        ({"env_id": "no_such_module:CartPole-v1"}, "cannot be made: No module named 'no_such_module'"),
        ({"env_id": "Nowhere/Pong-v5"}, "no environment Nowhere/Pong-v5: .*pip install ale-py"),
        ({"env_kwargs": {"gravity": 1}}, r"CartPole-v1 does not take env_kwargs \{'gravity': 1\}"),
        ({"wrappers": ["gymnasium.wrappers.NoSuch"]}, "no wrapper gymnasium.wrappers.NoSuch"),
        ({"wrappers": ["NoSuch"]}, "no wrapper NoSuch"),
        ({"wrappers": [{"class_path": "gymnasium.wrappers.TimeLimit"}]}, "wrapper .*TimeLimit does not fit"),
    ],
)
def test_an_environment_that_cannot_be_made_is_one_clear_line(arguments: dict[str, Any], message: str) -> None:
    data = EnvironmentDataModule(**arguments)
    with pytest.raises(UserError, match=message) as caught:
        data.setup("fit")
    assert "\n" not in str(caught.value)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def entry_point(**_: Any) -> gym.Env:
        raise gym.error.DependencyNotInstalled('Box2D is not installed: pip install\n"gymnasium[box2d]"')

    gym.register("NeedsBox2D-v0", entry_point=entry_point)
    with pytest.raises(UserError, match=r'NeedsBox2D-v0 cannot be made: .*pip install "gymnasium\[box2d\]"$'):
        EnvironmentDataModule("NeedsBox2D-v0").setup("fit")


def test_spaces_that_an_agent_cannot_take_are_one_clear_line() -> None:
    with pytest.raises(UserError, match=r"Pendulum-v1 has actions Box.* needs discrete ones"):
        _ = EnvironmentDataModule("Pendulum-v1").num_actions
    with pytest.raises(UserError, match="FlattenObservation"):
        _ = EnvironmentDataModule("FrozenLake-v1").observation_dim
    flat = EnvironmentDataModule("FrozenLake-v1", wrappers=["gymnasium.wrappers.FlattenObservation"])
    assert flat.observation_dim == 16


@pytest.mark.parametrize("name", ["num_envs", "total_steps", "steps_per_epoch", "eval_episodes", "test_episodes"])
def test_numbers_below_one_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"{name} is 0; it must be at least 1"):
        EnvironmentDataModule(**{name: 0})


def test_a_checkpoint_of_other_environments_is_refused() -> None:
    state = {"env_id": "CartPole-v1", "train_envs": short_cartpole().train_envs.state_dict()}
    with pytest.raises(UserError, match=r"is of CartPole-v1, not of Acrobot-v1"):
        EnvironmentDataModule("Acrobot-v1").load_state_dict(state)
    data = EnvironmentDataModule(num_envs=2)
    data.load_state_dict(state)
    with pytest.raises(UserError, match="resume with num_envs=3"):
        _ = data.train_envs
    table = EnvironmentDataModule("FrozenLake-v1", num_envs=2, vectorization="table")
    state = {"env_id": "FrozenLake-v1", "train_envs": table.train_envs.state_dict()}
    data = EnvironmentDataModule("FrozenLake-v1", num_envs=2)
    data.load_state_dict(state)
    with pytest.raises(UserError, match="resume with the same vectorization"):
        _ = data.train_envs


def test_an_epoch_has_as_many_iterations_as_its_steps_need() -> None:
    data = EnvironmentDataModule(num_envs=8, steps_per_epoch=100)
    assert list(data.train_dataloader()) == list(range(13))  # alone: 8 steps an iteration
    agent = BoringModel()
    agent.steps_per_iteration = 30  # rounded up to 32
    data.trainer = Trainer(logger=False, enable_checkpointing=False, accelerator="cpu")
    data.trainer.strategy.connect(agent)
    assert list(data.train_dataloader()) == [0, 1, 2, 3]


@pytest.mark.slow
def test_importing_it_does_not_import_gymnasium() -> None:
    code = "import sys, datamodules.environments.environment; print('gymnasium' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
