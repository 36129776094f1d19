import numpy as np
import pytest

from datamodules.games import GAMES, ConnectFour, TicTacToe, make_game
from datamodules.games.bits import count, mask
from datamodules.games.connect_four import LINES
from dlmodules.errors import UserError
from dlmodules.protocols import Boards, Game
from tests.datamodules.games.random_games import random_games

ALL = [pytest.param(make(), id=name) for name, make in GAMES.items()]


@pytest.mark.parametrize("game", ALL)
def test_a_game_is_one_by_the_protocol(game):
    boards = game.start(5)
    assert isinstance(game, Game)
    assert (boards.own.dtype, boards.other.dtype, boards.ply.dtype) == (np.uint64, np.uint64, np.int64)
    assert game.legal(boards).shape == (5, game.num_actions)
    assert game.planes(boards).shape == (5, game.num_planes, *game.board_shape)
    assert game.planes(boards).dtype == np.float32
    after = game.play(boards, game.legal(boards).argmax(1))
    assert (after.own.dtype, after.other.dtype, after.ply.dtype) == (np.uint64, np.uint64, np.int64)
    ended, value = game.outcome(after)
    assert (ended.dtype, value.dtype) == (np.bool_, np.float32)
    assert len({game.action_name(action) for action in range(game.num_actions)}) == game.num_actions


@pytest.mark.parametrize("game", ALL)
def test_no_game_is_longer_than_it_says_and_all_end(game):
    plies, ends = random_games(game, 500)
    assert len(plies) <= game.max_plies
    ended, value = game.outcome(ends)
    assert ended.all()
    assert set(np.unique(value)) <= {-1, 0, 1}
    for _, boards, _ in plies:
        ended, value = game.outcome(boards)
        assert not ended.any()
        assert not value.any()
        assert game.legal(boards).any(1).all()
        assert not (boards.own & boards.other).any()


def turn(game, boards, squares):
    """Return the positions turned by a symmetry, bit by bit."""
    bits = game.squares.reshape(-1)
    own, other = (
        (((rows[:, None] >> bits) & np.uint64(1))[:, squares] << bits).sum(1, dtype=np.uint64)
        for rows in (boards.own, boards.other)
    )
    return Boards(own, other, boards.ply)


@pytest.mark.parametrize("game", ALL)
def test_the_symmetries_turn_boards_moves_and_outcomes_alike(game):
    plies, _ = random_games(game, 60, seed=1)
    assert len({tuple(symmetry.squares) for symmetry in game.symmetries}) == len(game.symmetries)
    for squares, actions in game.symmetries:
        moved_to = np.argsort(actions)  # an action becomes the one in whose place it comes
        for numbers, boards, action in plies:
            turned = turn(game, boards, squares)
            planes = game.planes(boards).reshape(len(numbers), game.num_planes, -1)
            assert np.array_equal(planes[..., squares], game.planes(turned).reshape(planes.shape))
            assert np.array_equal(game.legal(boards)[:, actions], game.legal(turned))
            after, turned_after = game.play(boards, action), game.play(turned, moved_to[action])
            assert np.array_equal(turn(game, after, squares), turned_after)
            assert np.array_equal(game.outcome(after), game.outcome(turned_after))


def test_the_identity_comes_first():
    for make in GAMES.values():
        game = make()
        squares, actions = game.symmetries[0]
        assert np.array_equal(squares, np.arange(len(squares)))
        assert np.array_equal(actions, np.arange(game.num_actions))
    assert [len(make().symmetries) for make in GAMES.values()] == [8, 2, 8]


def test_bits_are_counted():
    numbers = np.random.default_rng(0).integers(0, 2**64, 1000, np.uint64)
    assert count(numbers).tolist() == [int(number).bit_count() for number in numbers]
    assert int(mask([0, 3, 63])) == 1 + 8 + 2**63


def test_a_board_in_text():
    game = TicTacToe()
    boards = game.start(2)
    for square in (4, 0, 8):
        boards = game.play(boards, np.array([square, square]))
    assert game.text(boards, 1) == "O . .\n. X .\n. . X"
    assert [game.action_name(action) for action in (0, 2, 3)] == ["a1", "c1", "a2"]


def test_positions_are_chosen_and_joined():
    game = TicTacToe()
    boards = Boards.joined([game.start(2), game.play(game.start(1), np.array([4]))])
    assert boards.ply.tolist() == [0, 0, 1]
    assert boards.at(boards.ply > 0).other.tolist() == [16]


def test_a_game_by_name():
    assert make_game("othello6").num_actions == 37
    assert make_game("datamodules.games.othello.Othello6").name == "othello6"
    with pytest.raises(UserError, match="did you mean connect_four"):
        make_game("conect_four")
    with pytest.raises(UserError, match="cannot be had"):
        make_game("no_such_module.Nim")
    with pytest.raises(UserError, match="is no game"):
        make_game("collections.Counter")


def test_open_lines_say_who_is_ahead():
    game = ConnectFour()
    assert len(LINES) == 69
    boards = game.start(1)
    assert game.estimate(boards)[0] == 0
    middle, side = (game.estimate(game.play(boards, np.array([column])))[0] for column in (3, 0))
    assert -0.5 < middle < side < 0  # of who is to move: the opponent has the middle
    plies, _ = random_games(game, 50)
    for _, boards, _ in plies:
        swapped = Boards(boards.other, boards.own, boards.ply)
        assert np.array_equal(game.estimate(boards), -game.estimate(swapped))
        assert np.abs(game.estimate(boards)).max() < 0.5
