import sys
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from datamodules.environments.environment import EnvironmentDataModule
from datamodules.environments.making import make_env
from datamodules.environments.minatar_games import GAMES
from dlmodules.errors import UserError

MISSING = "minatar is not installed: pip install -e '.[minatar]'"
NOTHING, LEFT, RIGHT = 0, 1, 2
PADDLE, BALL, _, BRICKS = range(4)


def breakout(**env_kwargs: Any) -> gym.Env:
    pytest.importorskip("minatar", reason=MISSING)
    return make_env("dlmodules/MinAtarBreakout-v0", env_kwargs, ())


def ball(observation: np.ndarray) -> tuple[int, int]:
    (row,), (column,) = np.nonzero(observation[BALL])
    return int(row), int(column)


def test_the_first_observation_shows_paddle_ball_and_bricks() -> None:
    env = breakout()
    observation, _ = env.reset(seed=0)
    assert (observation.shape, observation.dtype) == ((4, 10, 10), np.uint8)
    assert env.action_space == gym.spaces.Discrete(3)
    assert env.observation_space.contains(observation)
    assert np.argwhere(observation[PADDLE]).tolist() == [[9, 4]]
    assert ball(observation) in ((3, 0), (3, 9))
    assert np.argwhere(observation[BRICKS]).tolist() == [[row, column] for row in (1, 2, 3) for column in range(10)]


def test_a_ball_that_is_missed_ends_the_game_and_one_that_is_met_breaks_a_brick() -> None:
    env = breakout(sticky_action_prob=0.0)
    seed = next(seed for seed in range(20) if ball(env.reset(seed=seed)[0]) == (3, 0))
    env.reset(seed=seed)
    # A row and a column a step, the ball is in row 9 and column 6 after six, two columns beside the paddle.
    ends = [env.step(NOTHING)[1:4] for _ in range(6)]
    assert ends == [(0.0, False, False)] * 5 + [(0.0, True, False)]

    observation, _ = env.reset(seed=seed)
    assert ball(observation) == (3, 0)
    steps = [env.step(action) for action in [RIGHT, RIGHT] + [NOTHING] * 9]
    rewards = [step[1] for step in steps]
    # Met in the sixth step, it rises from row 8 in the same column; in the fifth step after that it meets row 3.
    assert rewards == [0.0] * 10 + [1.0]
    assert steps[-1][0][BRICKS].sum() == 29


def test_an_episode_follows_from_its_seed_and_its_actions_alone() -> None:
    """MinAtar keeps the last action of the episode before, which a sticky action would do again."""
    used = breakout(sticky_action_prob=0.5)
    for seed in range(10):
        fresh = breakout(sticky_action_prob=0.5)
        used.reset(seed=100 + seed)
        for _ in range(3):
            used.step(LEFT)
        first = [fresh.reset(seed=seed)[0], *(fresh.step(NOTHING)[0] for _ in range(4))]
        again = [used.reset(seed=seed)[0], *(used.step(NOTHING)[0] for _ in range(4))]
        assert np.array_equal(first, again)


def test_a_tenth_of_the_actions_stick_unless_told_otherwise() -> None:
    def left(**env_kwargs: Any) -> float:
        """How often the paddle moves at once when it is told to after a step of nothing."""
        env, moved = breakout(**env_kwargs), 0
        for seed in range(300):
            env.reset(seed=seed)
            moved += int(env.step(LEFT)[0][PADDLE, 9, 3])
        return moved / 300

    assert left(sticky_action_prob=0.0) == 1.0
    assert 0.84 < left() < 0.96


def test_pictures_have_a_colour_for_each_kind_of_thing() -> None:
    assert breakout().render() is None
    env = make_env("dlmodules/MinAtarBreakout-v0", {}, (), "rgb_array")
    observation, _ = env.reset(seed=0)
    frame = env.render()
    assert (frame.shape, frame.dtype) == ((160, 160, 3), np.uint8)
    row, column = ball(observation)
    places = ((9, 4), (row, column), (1, 1), (5, 5))
    colours = {tuple(frame[16 * row + 8, 16 * column + 8].tolist()) for row, column in places}
    assert len(colours) == 3  # at first the trail is where the ball is, and both are in a row of bricks
    assert (0, 0, 0) in colours


@pytest.mark.parametrize("name", GAMES)
def test_every_game_plays_and_ends_by_a_limit(name: str) -> None:
    pytest.importorskip("minatar", reason=MISSING)
    data = EnvironmentDataModule(f"dlmodules/MinAtar{name}-v0", num_envs=2, env_kwargs={"max_episode_steps": 30})
    stream = data.train_envs
    generator = torch.Generator().manual_seed(0)
    for _ in range(31):
        step = stream.step(torch.randint(data.num_actions, (2,), generator=generator))
        assert data.observation_space.contains(step.next_observation[0].numpy())
    assert stream.episodes >= 2
    assert gym.spec(f"dlmodules/MinAtar{name}-v0").max_episode_steps == 5_000
    every = make_env(f"dlmodules/MinAtar{name}-v0", {"minimal_actions": False}, ())
    assert every.action_space.n == 6


def test_many_lanes_go_on_exactly_where_they_were_saved() -> None:
    pytest.importorskip("minatar", reason=MISSING)

    def stream(state: Any = None) -> Any:
        data = EnvironmentDataModule("dlmodules/MinAtarBreakout-v0", num_envs=16)
        if state is not None:
            data.load_state_dict(state)
        return data, data.train_envs

    def play(stream: Any, seed: int) -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(seed)
        steps = [stream.step(torch.randint(3, (16,), generator=generator)) for _ in range(30)]
        return [part for step in steps for part in (step.next_observation, step.reward, step.terminated)]

    data, running = stream()
    play(running, 0)
    state = data.state_dict()
    unbroken = play(running, 1)
    _, resumed = stream(state)
    assert all(map(torch.equal, unbroken, play(resumed, 1)))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "minatar", None)
    with pytest.raises(
        UserError, match=r'the games of MinAtar need minatar: pip install "\.\[minatar\]" in a checkout'
    ):
        EnvironmentDataModule("dlmodules/MinAtarBreakout-v0").setup("fit")


def test_minatars_own_ids_are_answered_by_ours() -> None:
    with pytest.raises(UserError, match=r"no environment MinAtar/Breakout-v1: .*dlmodules/MinAtarBreakout-v0"):
        EnvironmentDataModule("MinAtar/Breakout-v1").setup("fit")
