import sys
from typing import Any

import numpy as np
import pytest
import torch

from datamodules.environments.environment import EnvironmentDataModule
from dlmodules.errors import UserError

pytest.importorskip("ale_py", reason="ale-py is not installed: pip install -e '.[atari]'")
pytest.importorskip("cv2", reason="opencv is not installed: pip install -e '.[atari]'")


def games(
    env_id: str = "ALE/Breakout-v5", num_envs: int = 1, seed: int = 0, **env_kwargs: Any
) -> EnvironmentDataModule:
    settings = {"num_threads": 1, **env_kwargs}
    return EnvironmentDataModule(
        env_id, num_envs=num_envs, seed=seed, vectorization="atari", env_kwargs=settings, eval_episodes=1
    )


def play(data: EnvironmentDataModule, steps: int, seed: int = 0) -> list[Any]:
    generator = torch.Generator().manual_seed(seed)
    stream = data.train_envs
    return [stream.step(torch.randint(data.num_actions, (stream.num_envs,), generator=generator)) for _ in range(steps)]


def parts(steps: list[Any]) -> list[torch.Tensor]:
    names = ("observation", "action", "reward", "next_observation", "terminated", "truncated")
    return [getattr(step, name) for step in steps for name in names]


def test_training_and_held_out_episodes_show_the_same_to_the_bit() -> None:
    """A whole game: the frames, the rewards, the FIRE after a lost life, the last observation and the next start."""
    data = games(noop_max=0, clip_rewards=False)
    stream, game = data.train_envs, data.make_env()
    observation, info = game.reset(seed=1)  # without sticky actions and with one start a game has no chance in it
    first = observation
    assert observation.shape == (4, 84, 84)
    assert not observation[:3].any()
    generator = torch.Generator().manual_seed(0)
    lives, waits, total, ended = info["lives"], False, 0.0, False
    while not ended:
        assert np.array_equal(stream.observation[0], observation)
        action = torch.randint(4, (1,), generator=generator)
        step = stream.step(action)
        assert step.action.item() == (1 if waits else action.item())
        observation, reward, ended, truncated, info = game.step(action.item())
        assert np.array_equal(step.next_observation[0], observation)
        assert (step.reward.item(), step.terminated.item(), step.truncated.item()) == (reward, ended, truncated)
        lives, waits, total = info["lives"], info["lives"] < lives, total + reward
    assert lives == 0
    assert (stream.episodes, stream.recent_returns[0]) == (1, total)
    assert np.array_equal(stream.observation[0], first)


def test_an_episode_begins_after_one_frame_or_up_to_thirty() -> None:
    game = games().make_env()
    frames = {game.reset(seed=seed)[1]["episode_frame_number"] for seed in range(6)}
    assert frames <= set(range(1, 31))
    assert len(frames) > 2
    vector = games().train_envs.envs
    lane = {"reset_mask": np.array([True])}
    frames = {int(vector.reset(options=lane)[1]["episode_frame_number"][0]) for _ in range(60)}
    assert frames <= set(range(1, 31))
    assert len(frames) > 15


def test_lanes_differ_and_threads_do_not_change_them() -> None:
    sticky = {"repeat_action_probability": 0.25, "num_envs": 2}
    data = (games(**sticky), games(**sticky, num_threads=2), games(**sticky, seed=1))
    first, threads, other = (parts(play(one, 30)) for one in data)
    assert all(map(torch.equal, first, threads))
    assert not all(map(torch.equal, first, other))
    assert not torch.equal(first[-3][0], first[-3][1])


@pytest.mark.parametrize(("repeat_action_probability", "episodes"), [(0.25, 1), (0.0, 6)])
def test_a_restored_stream_plays_its_episodes_again_and_goes_on_bitwise(
    repeat_action_probability: float, episodes: int, tmp_path: Any
) -> None:
    """With sticky actions each episode has a seed; without, 16 share one, of which some are over here."""
    settings = {"repeat_action_probability": repeat_action_probability, "num_envs": 2}
    settings |= {"max_num_frames_per_episode": 1_000} if repeat_action_probability else {}
    settings |= {} if repeat_action_probability else {"max_num_frames_per_episode": 120}
    data = games(**settings)
    play(data, 3)
    while data.train_envs.episodes < episodes:
        play(data, 10)
    play(data, 3, seed=5)
    torch.save(data.state_dict(), tmp_path / "state.pt")
    unbroken, books = parts(play(data, 70, seed=1)), data.train_envs.state_dict()
    resumed = games(**settings)
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert all(map(torch.equal, unbroken, parts(play(resumed, 70, seed=1))))
    found = resumed.train_envs.state_dict()
    assert [game["episodes"] for game in found["games"]] == [game["episodes"] for game in books["games"]]
    assert found["recent_returns"] == books["recent_returns"]


def test_another_game_under_the_same_state_is_reported() -> None:
    data = games()
    play(data, 5)
    other = games(frameskip=3)
    other.load_state_dict(data.state_dict())
    with pytest.warns(UserWarning, match="the games do not repeat themselves"):
        _ = other.train_envs


@pytest.mark.parametrize("episodic", [False, True])
def test_a_lost_life_is_terminal_for_what_is_learnt_where_asked(episodic: bool) -> None:
    data = games(episodic_life=episodic)
    stream, ends = data.train_envs, 0
    while not stream.episodes:
        ends += sum(int(step.terminated) for step in play(data, 1, seed=ends))
    assert ends == (5 if episodic else 1)
    assert stream.recent_lengths[0] > 100  # of all five lives


def test_rewards_are_clipped_for_learning_and_returns_are_true() -> None:
    data = games("ALE/MsPacman-v5", max_num_frames_per_episode=480)
    steps = play(data, 120)
    rewards = torch.cat([step.reward for step in steps])
    assert set(rewards.tolist()) == {0.0, 1.0}
    assert data.train_envs.recent_returns[0] == 10 * rewards.sum()
    # Frames are 4 a step, though ale-py's vector takes its limit of frames for one of steps.
    assert [bool(step.truncated) for step in steps] == [False] * 119 + [True]
    assert not steps[-1].terminated
    game = data.make_env()
    game.reset(seed=0)
    assert max(game.step(step.action.item())[1] for step in steps) == 10.0  # in held-out episodes, too


def test_it_can_be_filmed_in_colour_at_the_speed_of_the_game() -> None:
    game = games().make_env(render_mode="rgb_array")
    game.reset(seed=0)
    frame = game.render()
    assert (frame.shape, frame.dtype) == ((210, 160, 3), np.uint8)
    assert len(np.unique(frame.reshape(-1, 3), axis=0)) > 6
    assert game.metadata["render_fps"] == 15


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"env_id": "ALE/Brekout-v5"}, "no environment ALE/Brekout-v5: .*Did you mean: `Breakout`"),
        ({"env_id": "CartPole-v1"}, "plays games of ale-py such as ALE/Breakout-v5, not CartPole-v1"),
        ({"env_kwargs": {"frame_skip": 4}}, "takes no env_kwargs frame_skip; it takes: frameskip, stack_num"),
        ({"env_kwargs": {"frameskip": 0}}, "frameskip is 0; it must be at least 1"),
        ({"env_kwargs": {"repeat_action_probability": 2}}, r"repeat_action_probability is 2; it must lie in \[0, 1\]"),
    ],
)
def test_what_there_is_not_is_one_clear_line(arguments: dict[str, Any], message: str) -> None:
    data = EnvironmentDataModule(**{"env_id": "ALE/Breakout-v5", "vectorization": "atari", **arguments})
    with pytest.raises(UserError, match=message) as caught:
        data.setup("fit")
    assert "\n" not in str(caught.value)


def test_wrappers_and_other_checkpoints_are_refused() -> None:
    with pytest.raises(UserError, match="vectorization: atari takes no wrappers"):
        EnvironmentDataModule("ALE/Breakout-v5", vectorization="atari", wrappers=["gymnasium.wrappers.TimeLimit"])
    data = games()
    _ = data.train_envs
    other = games(num_envs=2)
    other.load_state_dict(data.state_dict())
    with pytest.raises(UserError, match="are not 2 games of ale-py's vector: resume with num_envs=1"):
        _ = other.train_envs


@pytest.mark.parametrize("package", ["ale_py", "cv2"])
def test_a_missing_package_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=r'needs (ale-py|opencv): pip install "\.\[atari\]" in a checkout of dlmodules'):
        games().setup("fit")
