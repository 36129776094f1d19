import sys
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from datamodules.environments.making import make_env
from dlmodules.errors import UserError

MISSING = "Box2D is not installed: pip install -e '.[box2d]'"
SECOND = 50  # frames; in the first second the camera flies down to the car


def fast(**env_kwargs: Any) -> gym.Env:
    pytest.importorskip("Box2D", reason=MISSING)
    return make_env("dlmodules/CarRacing-v0", env_kwargs, ())


def original(monkeypatch: pytest.MonkeyPatch, size: int = 64, **env_kwargs: Any) -> gym.Env:
    """Return Gymnasium's environment, whose frames have ``size`` pixels in place of 96."""
    pytest.importorskip("Box2D", reason=MISSING)
    from gymnasium.envs.box2d import car_racing

    monkeypatch.setattr(car_racing, "STATE_W", size)
    monkeypatch.setattr(car_racing, "STATE_H", size)
    return gym.make("CarRacing-v3", **env_kwargs)


def drive(steps: int, seed: int = 0) -> list[np.ndarray]:
    """Return actions that hold for five steps each."""
    draw = np.random.default_rng(seed)
    few = [
        np.array([draw.uniform(-1, 1), draw.uniform(), draw.uniform(0, 0.3)], dtype=np.float32) for _ in range(steps)
    ]
    return [few[step // 5] for step in range(steps)]


def driven(env: gym.Env, seed: int | None, actions: list[np.ndarray]) -> tuple[list[np.ndarray], list[float]]:
    """Return the frames and rewards of one episode."""
    first, _ = env.reset(seed=seed)
    frames, rewards = [first], []
    for action in actions:
        frame, reward, terminated, truncated, _ = env.step(action)
        frames.append(frame)
        rewards.append(float(reward))
        if terminated or truncated:
            break
    return frames, rewards


@pytest.mark.parametrize("env_kwargs", [{}, {"domain_randomize": True}])
def test_rewards_are_gymnasiums_and_frames_nearly(env_kwargs: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    actions = drive(150)
    theirs, their_rewards = driven(original(monkeypatch, **env_kwargs), 3, actions)
    ours, our_rewards = driven(fast(**env_kwargs), 3, actions)
    assert our_rewards == their_rewards
    assert max(our_rewards) > 1  # a tile was reached
    distances = [np.abs(a.astype(int) - b).mean() for a, b in zip(theirs, ours, strict=True)]
    assert max(distances[SECOND:]) < 1.5
    assert max(distances) < 4


def test_frames_of_gymnasiums_own_size(monkeypatch: pytest.MonkeyPatch) -> None:
    actions = drive(70, seed=1)
    theirs, _ = driven(original(monkeypatch, 96), 1, actions)
    ours, _ = driven(fast(size=96), 1, actions)
    assert np.abs(theirs[-1].astype(int) - ours[-1]).mean() < 1.5


def test_without_the_bar_the_picture_fills_the_frame() -> None:
    actions = drive(80)
    whole, _ = driven(fast(size=128), 0, actions)
    above, _ = driven(fast(size=112, indicators=False), 0, actions)
    # Seven eighths of 128 rows are 112; of 112 columns each is 8 / 7 wide.
    rows = whole[-1][:112].astype(int)
    columns = (np.arange(112) * 128) // 112
    assert np.abs(rows[:, columns] - above[-1]).mean() < 3


def test_the_bar_shows_the_return_and_the_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    gas = [np.array([0, 1, 0], dtype=np.float32)] * 100
    theirs, _ = driven(original(monkeypatch), 0, gas)
    ours, _ = driven(fast(), 0, gas)
    assert np.abs(theirs[-1][56:].astype(int) - ours[-1][56:]).max() <= 8
    assert ours[-1][56:, 8:10].max() > 100  # the white column of the speed


@pytest.mark.parametrize("colours", [((102, 204, 102), (102, 230, 102)), ((10, 20, 30), (40, 50, 60))])
def test_nothing_of_the_track_before_is_left_on_the_map(colours: Any) -> None:
    pytest.importorskip("Box2D", reason=MISSING)
    from datamodules.environments.racing.track_map import TrackMap

    def squares(*middles: float) -> list[Any]:
        corners = ((-20, -20), (20, -20), (20, 20), (-20, 20))
        return [([(middle + x, middle + y) for x, y in corners], (100, 100, 100)) for middle in middles]

    fresh = TrackMap(squares(-250.0, 250.0), *colours)
    before = TrackMap(squares(-300.0, 0.0), (102, 204, 102), (102, 230, 102))  # inside the other's bounds, and outside
    after = TrackMap(squares(-250.0, 250.0), *colours, before=before)
    assert after.fine is before.fine
    assert (after.fine == fresh.fine).all()
    assert (after.coarse == fresh.coarse).all()


@pytest.mark.parametrize("domain_randomize", [False, True])
def test_an_episode_depends_on_its_seed_alone(domain_randomize: bool) -> None:
    env = fast(domain_randomize=domain_randomize)
    driven(env, 8, drive(120, seed=5))
    again, rewards = driven(env, 3, drive(120))
    fresh, fresh_rewards = driven(fast(domain_randomize=domain_randomize), 3, drive(120))
    assert rewards == fresh_rewards
    assert all(np.array_equal(a, b) for a, b in zip(again, fresh, strict=True))


def test_tiles_that_were_driven_on_are_darker() -> None:
    env = fast()
    straight = [np.array([0, 0.2, 0], dtype=np.float32)] * 120
    driven(env, 0, straight)
    racing: Any = env.unwrapped
    visited = [place for place, tile in enumerate(racing.road) if tile.road_visited]
    assert len(visited) > 5
    x, y = np.mean([racing.road[place].fixtures[0].shape.vertices for place in visited if place % 3 == 2], axis=1).T
    from datamodules.environments.racing.track_map import FINE, HALF

    colours = racing.map.fine[((y + HALF) / FINE).astype(int), ((x + HALF) / FINE).astype(int)] & 0xFF
    assert set(colours.tolist()) == {102 - racing.map.dimming}


def test_an_episode_has_a_thousand_steps_and_ends_off_the_field() -> None:
    env = fast(size=16)
    _, rewards = driven(env, 0, [np.zeros(3, dtype=np.float32)] * 1_001)
    assert len(rewards) == 1_000
    assert sum(rewards) == pytest.approx(-100, abs=40)  # it stands on the first tiles
    _, rewards = driven(env, 0, [np.array([0.02, 0.5, 0], dtype=np.float32)] * 1_000)
    assert rewards[-1] == -100


def test_films_are_drawn_as_gymnasium_draws_them(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, ours = original(monkeypatch, render_mode="rgb_array"), fast(render_mode="rgb_array")
    for env in (theirs, ours):
        driven(env, 0, drive(60))
    assert np.array_equal(theirs.render(), ours.render())


def test_gymnasiums_hook_of_drawing_is_what_steps_call(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("Box2D", reason=MISSING)
    from gymnasium.envs.box2d.car_racing import CarRacing

    asked = []
    monkeypatch.setattr(CarRacing, "_render", lambda self, mode: asked.append(mode))
    env = CarRacing()
    env.reset(seed=0)
    env.step(np.zeros(3, dtype=np.float32))
    assert asked == ["state_pixels"] * 2


def test_small_frames_and_missing_packages_end_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="size is 8"):
        fast(size=8)
    monkeypatch.delitem(sys.modules, "datamodules.environments.racing.env", raising=False)
    monkeypatch.setitem(sys.modules, "Box2D", None)
    with pytest.raises(UserError, match="box2d"):
        make_env("dlmodules/CarRacing-v0", {}, ())


def test_an_action_may_last_for_several_frames() -> None:
    each, twice = fast(size=32), fast(size=32, action_repeat=2)
    actions = drive(60)[::2]
    one_by_one, rewards = driven(each, 4, [action for action in actions for _ in range(2)])
    seen, sums = driven(twice, 4, actions)
    assert sums == pytest.approx([sum(pair) for pair in zip(rewards[::2], rewards[1::2], strict=True)])
    assert all(np.array_equal(a, b) for a, b in zip(seen, one_by_one[::2], strict=True))


def test_patience_ends_an_episode_in_which_nothing_happens() -> None:
    env = fast(size=16, patience=30)
    still = [np.zeros(3, dtype=np.float32)] * 100
    _, rewards = driven(env, 0, still)
    # It stands on a few tiles, which are visited in the first frames.
    assert 30 <= len(rewards) <= 40
    _, again = driven(env, 0, still)
    assert again == rewards
    _, patient = driven(fast(size=16), 0, still)
    assert len(patient) == 100
