"""Running games, what is remembered of them, and that both go on where they stood."""

import numpy as np
import pytest
import torch

from datamodules import SelfPlayDataModule
from datamodules.games import TicTacToe
from datamodules.games.positions import PositionReplay
from datamodules.games.stream import GameStream, opening
from dlmodules.errors import UserError
from dlmodules.protocols import Boards
from dlmodules.protocols.self_play import Positions

GAME = TicTacToe()


def play(stream, moves, keep=True):
    """Play the same moves in all games; each position is remembered with the move as its policy."""
    n = stream.num_envs
    for number, move in enumerate(moves):
        policy = np.eye(9, dtype=np.float32)[np.full(n, move)]
        stream.play(np.full(n, move), policy, np.full(n, 0.125 * number, np.float32), np.full(n, keep))


def test_outcomes_are_those_of_the_player_to_move():
    replay = PositionReplay(100, 9)
    stream = GameStream(GAME, replay, num_games=1)
    play(stream, [0, 3, 1, 4])
    assert len(replay) == 0  # the game goes on
    play(stream, [2])  # the first player has the top row
    assert len(replay) == 5
    found = replay.get(torch.arange(5))
    assert found.outcome.tolist() == [1, -1, 1, -1, 1]
    assert found.policy.argmax(1).tolist() == [0, 3, 1, 4, 2]
    assert found.value[:4].tolist() == [0, 0.125, 0.25, 0.375]
    assert found.boards.ply.tolist() == [0, 1, 2, 3, 4]
    boards = GAME.start(1)
    for row, move in enumerate([0, 3, 1, 4, 2]):
        assert (found.boards.own[row], found.boards.other[row]) == (boards.own[0], boards.other[0])
        boards = GAME.play(boards, np.array([move]))
    assert list(stream.recent_returns) == [1]
    assert list(stream.recent_lengths) == [5]
    assert stream.boards.ply[0] == 0  # and another has begun


def test_a_win_of_the_second_player_and_a_draw():
    replay = PositionReplay(100, 9)
    stream = GameStream(GAME, replay, num_games=1)
    play(stream, [8, 0, 7, 1, 3, 2])
    assert replay.get(torch.arange(6)).outcome.tolist() == [-1, 1, -1, 1, -1, 1]
    play(stream, [0, 1, 2, 4, 3, 5, 7, 6, 8])
    assert replay.get(torch.arange(6, 15)).outcome.tolist() == [0] * 9  # a draw is a target like any other
    assert list(stream.recent_returns) == [-1, 0]


def test_positions_that_are_not_kept_are_played_alone():
    replay = PositionReplay(100, 9)
    stream = GameStream(GAME, replay, num_games=2)
    play(stream, [0, 3], keep=False)
    play(stream, [1, 4, 2])
    found = replay.get(torch.arange(6))
    assert found.boards.ply.tolist() == [2, 3, 4] * 2
    assert found.outcome.tolist() == [1, -1, 1] * 2


def positions(first, n):
    numbers = np.arange(first, first + n)
    boards = Boards(numbers.astype(np.uint64), np.full(n, 2**63, np.uint64), numbers % 9)
    return Positions(boards, np.full((n, 9), 1 / 9, np.float32), np.zeros(n, np.float32), np.ones(n, np.float32))


def test_the_oldest_positions_are_forgotten():
    replay = PositionReplay(10, 9)
    for first in range(0, 28, 4):
        replay.add(positions(first, 4))
    replay.add(positions(28, 0))
    assert len(replay) == 10
    found = replay.get(torch.arange(10))
    assert sorted(found.boards.own.tolist()) == list(range(18, 28))
    assert (found.boards.other == np.uint64(2**63)).all()
    replay.add(positions(100, 25))
    assert sorted(replay.get(torch.arange(10)).boards.own.tolist()) == list(range(115, 125))
    again = PositionReplay(10, 9)
    again.load_state_dict(replay.state_dict())
    assert again.state_dict().keys() == replay.state_dict().keys()
    for one, other in ((again, replay), (other_order(again, replay))):
        sampled = (buffer.sample(20, torch.Generator().manual_seed(0)).boards.own for buffer in (one, other))
        assert np.array_equal(*sampled)
    with pytest.raises(UserError, match="resume with replay_capacity=10"):
        PositionReplay(11, 9).load_state_dict(replay.state_dict())


def other_order(again, replay):
    for buffer in (again, replay):
        buffer.add(positions(200, 3))
    return again, replay


def test_openings_are_by_number_and_go_on():
    found = [opening(GAME, 6, (0, number)) for number in range(200)]
    plies = np.array([int(boards.ply[0]) for boards in found])
    assert set(plies.tolist()) == set(range(7))
    assert not any(GAME.outcome(boards)[0][0] for boards in found)
    assert opening(GAME, 6, (0, 5)) == found[5]
    assert len({int(boards.own[0]) for boards in found}) > 20


def test_games_go_on_from_their_state():
    def stream():
        return GameStream(GAME, PositionReplay(1_000, 9), num_games=5, opening_plies=3, seed=1)

    def go_on(games, plies, seed):
        rng = np.random.default_rng(seed)
        for _ in range(plies):
            legal = GAME.legal(games.boards)
            action = np.where(legal, rng.random(legal.shape), -1).argmax(1)
            policy = legal / legal.sum(1, keepdims=True)
            games.play(action, policy.astype(np.float32), rng.uniform(-1, 1, 5).astype(np.float32), np.ones(5, bool))

    unbroken, broken = stream(), stream()
    go_on(unbroken, 14, 0)
    go_on(broken, 14, 0)
    resumed = stream()
    resumed.load_state_dict(broken.state_dict())
    resumed.positions.load_state_dict(broken.positions.state_dict())
    for games in (unbroken, resumed):
        go_on(games, 23, 1)
    for one, other in zip(unbroken.boards, resumed.boards, strict=True):
        assert np.array_equal(one, other)
    expected, got = unbroken.positions.state_dict(), resumed.positions.state_dict()
    assert expected.keys() == got.keys()
    assert all(torch.equal(torch.as_tensor(expected[name]), torch.as_tensor(got[name])) for name in expected)
    assert unbroken.episodes == resumed.episodes > 5
    assert list(unbroken.recent_returns) == list(resumed.recent_returns)
    with pytest.raises(UserError, match="resume with num_games=5"):
        GameStream(GAME, PositionReplay(10, 9), num_games=4).load_state_dict(broken.state_dict())


def test_wrong_settings_are_named_in_one_line():
    with pytest.raises(UserError, match="there is no game chess"):
        SelfPlayDataModule("chess")
    with pytest.raises(UserError, match="num_games"):
        SelfPlayDataModule(num_games=0)
    data = SelfPlayDataModule("connect_four")
    with pytest.raises(UserError, match="of connect_four, not of tic_tac_toe"):
        SelfPlayDataModule().load_state_dict(data.state_dict())


def test_the_environment_is_one_side_of_a_game():
    data = SelfPlayDataModule("connect_four")
    env, totals, begun = data.make_env(render_mode="rgb_array"), [], []
    for seed in range(30):
        observation, _ = env.reset(seed=seed)
        begun.append(observation[: 2 * 42].sum())
        ended, rng = False, np.random.default_rng(seed)
        while not ended:
            assert env.observation_space.contains(observation)
            action = rng.choice(np.flatnonzero(observation[-7:]))
            observation, reward, ended, _, _ = env.step(action)
        totals.append(reward)
    assert set(begun) == {0, 1}
    assert 5 < sum(total > 0 for total in totals) < 25
    assert env.render().shape == (6 * 48, 7 * 48, 3)
    env.reset(seed=0)
    full = env.unwrapped.boards._replace(own=np.array([0b010101], np.uint64), other=np.array([0b101010], np.uint64))
    env.unwrapped.boards = full
    with pytest.raises(UserError, match="not legal"):
        env.step(0)
