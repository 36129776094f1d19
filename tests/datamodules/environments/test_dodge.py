import numpy as np
import pytest

from datamodules.environments.making import make_env
from dlmodules.errors import UserError

LEFT, STAY, RIGHT = range(3)


@pytest.mark.parametrize(("fall", "ends"), [(1, 23), (2, 12), (3, 9)])
def test_a_ball_that_reaches_the_player_ends_the_game(fall: int, ends: int) -> None:
    env = make_env("dlmodules/Dodge-v0", {"balls": 1.0, "aimed": 1.0, "fall": fall}, ())
    first, _ = env.reset(seed=0)
    assert (first.shape, first.dtype) == ((24, 24, 1), np.uint8)
    assert (first[:22] == 0).all()
    assert (first[22:] == 128).sum() == 8
    steps = 0
    terminated = truncated = False
    while not (terminated or truncated):
        frame, reward, terminated, truncated, _ = env.step(STAY)
        assert reward == 1
        steps += 1
    assert terminated
    # The ball appears with its lowest row on top, and touches the player's upper row 22 pixels below.
    assert steps == ends
    assert (frame == 255).any()


def test_who_steps_aside_is_missed() -> None:
    env = make_env("dlmodules/Dodge-v0", {"balls": 1.0, "aimed": 1.0}, ())
    env.reset(seed=0)
    env.unwrapped.player = 10
    for step in range(24):
        *_, terminated, _, _ = env.step(STAY if step < 1 else RIGHT if step < 6 else STAY)
    assert not terminated
    assert env.unwrapped.player == 20


def test_the_player_stays_on_the_field_and_a_game_has_a_limit() -> None:
    env = make_env("dlmodules/Dodge-v0", {"balls": 0.0}, ())
    env.reset(seed=1)
    for step in range(500):
        *_, terminated, truncated, _ = env.step(LEFT if step < 50 else RIGHT)
        assert not terminated
        assert truncated == (step == 499)
        assert 0 <= env.unwrapped.player <= 20
    assert env.unwrapped.player == 20


def test_balls_that_were_missed_do_no_harm() -> None:
    env = make_env("dlmodules/Dodge-v0", {"balls": 0.0}, ())
    env.reset(seed=0)
    env.unwrapped.player, env.unwrapped.falling = 0, np.array([[12, 20]])
    hits = [env.step(RIGHT)[2] for _ in range(8)]
    assert not any(hits)  # it left the field before the player came
    assert len(env.unwrapped.falling) == 0


def test_pictures_and_bad_numbers() -> None:
    env = make_env("dlmodules/Dodge-v0", {}, (), "rgb_array")
    env.reset(seed=0)
    assert env.render().shape == (192, 192, 3)
    with pytest.raises(UserError, match="aimed is 2"):
        make_env("dlmodules/Dodge-v0", {"aimed": 2.0}, ())
    with pytest.raises(UserError, match="fall is 4; it must be 1 to 3 pixels a step"):
        make_env("dlmodules/Dodge-v0", {"fall": 4}, ())
