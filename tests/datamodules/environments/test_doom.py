import os
import pickle
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from datamodules.environments.making import make_env
from datamodules.environments.replay import ReplayableEnv
from datamodules.rollouts.store import Rollouts, RolloutSettings, play_rollouts
from dlmodules.errors import UserError

MISSING = "vizdoom is not installed: pip install -e '.[doom]'"
TAKE_COVER = "dlmodules/DoomTakeCover-v0"
LEFT, STAY, RIGHT = range(3)


def doom(render_mode: str | None = None, **env_kwargs: Any) -> gym.Env:
    pytest.importorskip("vizdoom", reason=MISSING)
    return make_env(TAKE_COVER, env_kwargs, (), render_mode)


def played(env: gym.Env, seed: int, actions: list[int]) -> tuple[list[Any], list[float], bool]:
    """Return the frames and rewards of one episode, as far as it goes, and whether it ended in death."""
    frames, rewards, died = [env.reset(seed=seed)[0]], [], False
    for action in actions:
        frame, reward, died, truncated, _ = env.step(action)
        frames.append(frame)
        rewards.append(float(reward))
        if died or truncated:
            break
    return frames, rewards, died


def wander(steps: int, seed: int) -> list[int]:
    drawn: list[int] = np.random.default_rng(seed).integers(3, size=(steps + 4) // 5).repeat(5)[:steps].tolist()
    return drawn


def test_it_keeps_gymnasiums_contract() -> None:
    env = doom()
    assert env.action_space == gym.spaces.Discrete(3)
    assert env.observation_space == gym.spaces.Box(0, 255, (64, 64, 3), np.uint8)
    check_env(env.unwrapped, skip_render_check=True)
    env.close()


def test_the_player_steps_to_both_sides() -> None:
    env = doom()
    left, stayed, right = (played(env, 0, [action] * 20)[0][-1].astype(int) for action in (LEFT, STAY, RIGHT))

    def is_shifted(moved: Any, shift: int) -> bool:
        """Whether the wall looks as if the picture had moved to the right by ``shift``, and not to the left."""
        wall = slice(24, 37)
        errors = [np.abs(np.roll(stayed, by, axis=1)[wall, 12:-12] - moved[wall, 12:-12]).mean() for by in (1, -1)]
        return bool(errors[0] < errors[1] if shift > 0 else errors[0] > errors[1])

    assert is_shifted(left, 1)
    assert is_shifted(right, -1)
    env.close()


def test_standing_still_ends_in_death_which_is_the_last_step() -> None:
    env = doom()
    frames, rewards, died = played(env, 5, [STAY] * 2_100)
    assert died
    assert rewards == [1.0] * len(rewards)
    assert 80 < len(rewards) < 600
    # The engine shows no death: what comes with it is what was seen before.
    assert np.array_equal(frames[-1], frames[-2])
    assert not np.array_equal(frames[-2], frames[-3])
    assert frames[-1].std() > 5
    env.close()


def test_the_fatal_action_is_kept_in_rollouts(tmp_path: Path) -> None:
    pytest.importorskip("vizdoom", reason=MISSING)
    settings = RolloutSettings(TAKE_COVER, episodes=3, max_steps=1_000)
    rollouts = Rollouts(play_rollouts(settings, tmp_path))
    for episode, length in enumerate(rollouts.lengths.tolist()):
        assert np.flatnonzero(rollouts.ended[episode]).tolist() == [length - 1]
        assert rollouts.rewards[episode].sum() == length
        assert rollouts.frames[episode, length].any()
        assert not rollouts.frames[episode, length + 1 :].any()


@pytest.mark.parametrize("before", ["nothing", "a death", "an episode that was left"])
def test_an_episode_follows_from_its_seed_and_its_actions_alone(before: str) -> None:
    actions = wander(120, 1)
    fresh = doom()
    expected = played(fresh, 3, actions)
    used = doom()
    if before != "nothing":
        ends = played(used, 9, [RIGHT] * 2_100 if before == "a death" else [RIGHT] * 40)
        assert ends[2] == (before == "a death")
    found = played(used, 3, actions)
    assert found[1:] == expected[1:]
    assert all(np.array_equal(a, b) for a, b in zip(found[0], expected[0], strict=True))
    other = played(used, 4, actions)
    assert any(not np.array_equal(a, b) for a, b in zip(other[0], expected[0], strict=False))
    fresh.close()
    used.close()


def test_it_begins_again_after_close_and_without_a_seed() -> None:
    env = doom()
    first = played(env, 3, [STAY] * 80)
    env.close()
    again = played(env, 3, [STAY] * 80)
    assert all(np.array_equal(a, b) for a, b in zip(first[0], again[0], strict=True))
    # Without a seed the generator goes on, and so it is another episode.
    env.reset()
    assert any(not np.array_equal(env.step(STAY)[0], frame) for frame in first[0][1:])
    env.close()


def test_a_position_is_restored_from_seed_and_actions() -> None:
    env, other = ReplayableEnv(doom(), 0, 0), ReplayableEnv(doom(), 1, 0)
    env.reset()
    for action in wander(50, 2):
        env.step(action)
    other.episode_state = env.episode_state
    assert np.array_equal(env.last_observation, other.last_observation)
    assert np.array_equal(env.step(LEFT)[0], other.step(LEFT)[0])
    env.close()
    other.close()


def test_an_action_may_last_for_several_tics() -> None:
    each, four = doom(), doom(action_repeat=4)
    actions = wander(400, 6)
    one_by_one, rewards, died = played(each, 2, [action for action in actions for _ in range(4)])
    seen, sums, died_too = played(four, 2, actions)
    assert died
    assert died_too
    assert sum(sums) == sum(rewards)
    assert sums[:-1] == [4.0] * (len(sums) - 1)
    assert 1 <= sums[-1] <= 4
    assert all(np.array_equal(a, b) for a, b in zip(seen[:-1], one_by_one[::4], strict=False))
    each.close()
    four.close()


@pytest.mark.parametrize(("repeat", "steps", "last"), [(1, 60, 1.0), (25, 3, 10.0)])
def test_an_episode_is_truncated(repeat: int, steps: int, last: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """After 2,100 tics; here after 60, before a fireball has come."""
    from datamodules.environments import doom as module

    assert module.MAX_TICS == 2_100
    monkeypatch.setattr(module, "MAX_TICS", 60)
    env = doom(action_repeat=repeat)
    env.reset(seed=0)
    ends = [env.step(STAY)[1:4] for _ in range(steps)]
    assert ends == [*[(float(repeat), False, False)] * (steps - 1), (last, False, True)]
    env.close()


def test_frames_are_the_view_without_the_bar() -> None:
    env = doom("rgb_array", size=32)
    frame, _ = env.reset(seed=0)
    screen: Any = env.render()
    assert screen.shape == (240, 320, 3)
    assert frame.shape == (32, 32, 3)
    # Each pixel is about the mean of the 10 by 6.25 of the screen's 320 by 200 above the bar.
    means = screen[:200].reshape(8, 25, 32, 10, 3).mean(axis=(1, 3))
    assert np.abs(means - frame.reshape(8, 4, 32, 3).mean(axis=1)).mean() < 4
    red = screen[200:].astype(int)
    assert (red[..., 0] - red[..., 1]).max() > 100  # the bar has the health in red
    assert env.unwrapped.render_mode == "rgb_array"
    env.close()
    plain = doom()
    plain.reset(seed=0)
    assert plain.unwrapped.render() is None
    plain.close()


def test_flashes_show_what_hits() -> None:
    actions = [STAY] * 600
    plain, red = doom(), doom(flashes=True)
    seen, rewards, _ = played(plain, 5, actions)
    reddened, the_same, _ = played(red, 5, actions)
    assert rewards == the_same

    def redness(frames: list[Any]) -> float:
        return max(float(frame[..., 0].mean()) - float(frame[..., 1].mean()) for frame in frames)

    assert redness(seen) < 40
    assert redness(reddened) > 100
    plain.close()
    red.close()


def test_processes_that_are_forked_play_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("vizdoom", reason=MISSING)
    monkeypatch.chdir(tmp_path)
    makers = [partial(make_env, TAKE_COVER, {}, ())] * 2
    found = []
    for kind in (gym.vector.SyncVectorEnv, gym.vector.AsyncVectorEnv):
        envs = kind(makers)
        first, _ = envs.reset(seed=[1, 2])
        frames = [first.copy(), *(envs.step(np.array([LEFT, RIGHT]))[0].copy() for _ in range(10))]
        found.append(np.stack(frames))
        envs.close()
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0][:, 0], found[0][:, 1])
    assert os.listdir(tmp_path) == []  # the engine writes elsewhere


def test_nothing_is_left() -> None:
    pytest.importorskip("vizdoom", reason=MISSING)

    def folders() -> set[Path]:
        return set(Path(tempfile.gettempdir()).glob("doom-*"))

    before = folders()
    env = doom()
    assert pickle.loads(pickle.dumps(env.unwrapped)).size == 64  # before the engine runs
    env.reset(seed=0)
    (own,) = folders() - before
    env.close()
    env.close()
    assert not own.exists()
    doom().reset(seed=0)  # nobody closes it
    assert folders() == before


@pytest.mark.slow
def test_the_engine_ends_with_a_process_that_was_killed(tmp_path: Path) -> None:
    pytest.importorskip("vizdoom", reason=MISSING)
    program = (
        "import time; from datamodules.environments.doom import DoomTakeCover;"
        "env = DoomTakeCover(); env.reset(); print('ready', flush=True); time.sleep(60)"
    )
    variables = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=variables) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (folder,) = tmp_path.glob("doom-*")
        process.kill()
    start = time.monotonic()
    while folder.exists() and time.monotonic() - start < 30:
        time.sleep(0.5)
    assert not folder.exists()


def test_bad_numbers_and_a_missing_package_end_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="size is 8; it must be at least 16"):
        doom(size=8)
    with pytest.raises(UserError, match="action_repeat is 0; it must be 1 or more"):
        doom(action_repeat=0)
    monkeypatch.setitem(sys.modules, "vizdoom", None)
    with pytest.raises(UserError, match=r'^dlmodules/DoomTakeCover-v0 needs vizdoom: pip install "\.\[doom\]"'):
        make_env(TAKE_COVER, {}, ())
