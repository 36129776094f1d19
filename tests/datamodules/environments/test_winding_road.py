"""A road to drive around on: what a step does, how an episode ends, and that it is as it was for the same seed."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from datamodules import EnvironmentDataModule
from datamodules.driving.drawn_roads import LOOK_AHEAD, steering_to
from datamodules.driving.loop import SPACING
from datamodules.environments.winding_road import WindingRoad
from dlmodules.errors import UserError


def wheel(value):
    return np.array([value], np.float32)


def to_the_middle(env):
    """Steer as the training roads say: for the middle of the road ten metres ahead."""
    points = env.loop.points
    right, ahead = (points[(env.point + round(LOOK_AHEAD / SPACING)) % len(points)] - env.place).tolist()
    cos, sin = np.cos(env.heading), np.sin(env.heading)
    import torch

    return wheel(steering_to(torch.tensor(right * cos - ahead * sin), torch.tensor(right * sin + ahead * cos)))


def test_it_keeps_gymnasiums_contract():
    check_env(WindingRoad(), skip_render_check=True)


def test_who_steers_for_the_middle_comes_around():
    env = WindingRoad()
    _, info = env.reset(seed=0)
    paid, steps, ended = 0.0, 0, False
    assert info == {"around": False, "lateral": 0.0, "length": env.loop.length}
    while not ended:
        _, reward, ended, truncated, info = env.step(to_the_middle(env))
        paid, steps = paid + reward, steps + 1
        assert not truncated
        assert abs(info["lateral"]) < 1.0
    assert info["around"]
    assert info["length"] <= paid < info["length"] + 2
    assert 0.95 * info["length"] < steps < 1.05 * info["length"]


def test_who_drives_straight_on_leaves_the_road():
    env = WindingRoad()
    env.reset(seed=0)
    steps, ended = 0, False
    while not ended:
        _, _, ended, _, info = env.step(wheel(0.0))
        steps += 1
    assert not info["around"]
    assert abs(info["lateral"]) > env.half_width
    assert steps < 100


def test_the_wheel_turns_the_car_to_its_side():
    found = {}
    for steering in (-1.0, 0.0, 1.0):
        env = WindingRoad()
        env.reset(seed=1)
        for _ in range(3):
            *_, info = env.step(wheel(steering))
        found[steering] = info["lateral"]
    assert found[-1.0] < found[0.0] < found[1.0]
    # On a circle of ten metres three metres lead 45 centimetres to the side.
    assert found[1.0] - found[0.0] == pytest.approx(0.45, abs=0.05)


def test_an_episode_is_as_it_was_for_the_same_seed_and_another_road_for_another():
    first, again, other = (WindingRoad() for _ in range(3))
    seen = [env.reset(seed=seed)[0] for env, seed in ((first, 3), (again, 3), (other, 4))]
    assert (seen[0] == seen[1]).all()
    assert (seen[0] != seen[2]).any()
    after = [env.step(wheel(0.3)) for env in (first, again)]
    assert (after[0][0] == after[1][0]).all()
    assert after[0][1:3] == after[1][1:3]
    assert first.reset()[0].shape == (1216,)
    assert first.loop.length != again.loop.length or not (first.reset()[0] == seen[0]).all()


def test_it_has_an_id_and_an_end():
    env = EnvironmentDataModule("dlmodules/ALVINNRoad-v0").make_env()
    assert isinstance(env.unwrapped, WindingRoad)
    assert gym.spec("dlmodules/ALVINNRoad-v0").max_episode_steps == 600


def test_it_is_seen():
    env = WindingRoad(render_mode="rgb_array")
    env.reset(seed=0)
    picture = env.render()
    assert (picture.shape, picture.dtype) == ((240, 496, 3), np.uint8)
    env.step(wheel(0.0))
    assert (env.render() != picture).any()
    assert WindingRoad().render() is None


def test_what_is_no_action_is_named():
    env = WindingRoad()
    env.reset(seed=0)
    for action in (np.zeros(2, np.float32), wheel(np.nan)):
        with pytest.raises(UserError, match="WindingRoad takes one finite number as an action"):
            env.step(action)
    with pytest.raises(UserError, match="render_mode is rgb_array or null, not human"):
        WindingRoad(render_mode="human")
