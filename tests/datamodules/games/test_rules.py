"""The rules are those of PettingZoo; for Othello, which it lacks, those of a slow board of lists."""

import importlib

import numpy as np
import pytest

from datamodules.games import ConnectFour, Othello6, TicTacToe
from datamodules.games.bits import mask
from datamodules.games.othello import PASS
from dlmodules.protocols import Boards
from tests.datamodules.games.random_games import random_games


def compare_with_pettingzoo(game, module, n):
    pytest.importorskip("pettingzoo", reason="pettingzoo is not installed: pip install -e '.[games]'")
    env = importlib.import_module(f"pettingzoo.classic.{module}").raw_env()
    plies, ends = random_games(game, n)
    history = [[] for _ in range(n)]
    legal, planes = [game.legal(boards) for _, boards, _ in plies], [game.planes(boards) for _, boards, _ in plies]
    for ply, (numbers, _, actions) in enumerate(plies):
        for row, (number, action) in enumerate(zip(numbers, actions, strict=True)):
            history[number].append((legal[ply][row], planes[ply][row], action))
    value = game.outcome(ends)[1]
    for number, moves in enumerate(history):
        env.reset()
        for allowed, board, action in moves:
            agent = env.agent_selection
            seen = env.observe(agent)
            assert not any(env.terminations.values())
            assert np.array_equal(seen["action_mask"], allowed)
            assert np.array_equal(seen["observation"].transpose(2, 0, 1), board)
            env.step(int(action))
        assert all(env.terminations.values())
        # The reward of who moved last; the value is of who would be to move.
        assert env.rewards[agent] == -value[number]
    return value


ZOO = [(TicTacToe(), "tictactoe.tictactoe"), (ConnectFour(), "connect_four.connect_four")]


@pytest.mark.parametrize(("game", "module"), ZOO)
def test_random_games_are_those_of_pettingzoo(game, module):
    assert set(compare_with_pettingzoo(game, module, 100)) >= {-1}


@pytest.mark.slow
@pytest.mark.parametrize(("game", "module"), ZOO)
def test_ten_thousand_games_are_those_of_pettingzoo(game, module):
    assert set(compare_with_pettingzoo(game, module, 10_000)) == {-1, 0}


DIRECTIONS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]


def captured(board, row, column, colour):
    """The squares that a disc at an empty square of a 6 x 6 list of lists encloses."""
    found = []
    for dy, dx in DIRECTIONS:
        line, y, x = [], row + dy, column + dx
        while 0 <= y < 6 and 0 <= x < 6 and board[y][x] == -colour:
            line.append((y, x))
            y, x = y + dy, x + dx
        if 0 <= y < 6 and 0 <= x < 6 and board[y][x] == colour:
            found += line
    return found


def moves_of(board, colour):
    return [(y, x) for y in range(6) for x in range(6) if board[y][x] == 0 and captured(board, y, x, colour)]


def replay_othello(actions):
    """Play one game on lists; yield the legal actions and the board before each action, and the result at the end."""
    board = [[0] * 6 for _ in range(6)]
    board[2][3] = board[3][2] = 1
    board[2][2] = board[3][3] = -1
    colour = 1
    for action in actions:
        places = moves_of(board, colour)
        yield [6 * y + x for y, x in places] or [PASS], np.array(board) * colour
        if action != PASS:
            y, x = divmod(action, 6)
            for square in [(y, x), *captured(board, y, x, colour)]:
                board[square[0]][square[1]] = colour
        colour = -colour
    assert not moves_of(board, 1)
    assert not moves_of(board, -1)
    yield np.sign(np.sum(board)) * colour, np.array(board) * colour


def compare_with_lists(n):
    game = Othello6()
    plies, ends = random_games(game, n, seed=2)
    history = [[] for _ in range(n)]
    for numbers, boards, actions in plies:
        legal, planes = game.legal(boards), game.planes(boards)
        for row, number in enumerate(numbers):
            history[number].append((legal[row], planes[row], int(actions[row])))
    value, last = game.outcome(ends)[1], game.planes(ends)
    passes = 0
    for number, moves in enumerate(history):
        slow = replay_othello([action for _, _, action in moves])
        for legal, planes, action in moves:
            allowed, board = next(slow)
            assert np.flatnonzero(legal).tolist() == allowed
            assert np.array_equal(planes[0] - planes[1], board)
            passes += action == PASS
        result, board = next(slow)
        assert result == value[number]
        assert np.array_equal(last[number, 0] - last[number, 1], board)
    assert passes > 0
    assert set(value) == {-1, 0, 1}


def test_random_games_of_othello_are_those_of_lists():
    compare_with_lists(100)


@pytest.mark.slow
def test_ten_thousand_games_of_othello_are_those_of_lists():
    compare_with_lists(10_000)


def test_a_game_of_othello_may_end_on_a_board_that_is_not_full():
    only_own = Boards(np.array([mask([0, 1, 2])]), np.array([np.uint64(0)]), np.array([9]))
    ended, value = Othello6().outcome(only_own)
    assert ended[0]
    assert value[0] == 1


def test_lines_do_not_run_on_in_the_next_column_or_row():
    game = ConnectFour()
    # Three on top of the first column and one at the bottom of the second are neighbours in the bits.
    across = Boards(np.array([np.uint64(0)]), np.array([mask([3, 4, 5, 7])]), np.array([8]))
    assert not game.outcome(across)[0][0]
    edges = Boards(np.array([mask([5, 12])]), np.array([mask([6, 11])]), np.array([4]))
    places = np.flatnonzero(Othello6().legal(edges)[0]).tolist()
    board = [[0] * 6 for _ in range(6)]
    board[0][5] = board[2][0] = 1
    board[1][0] = board[1][5] = -1
    assert places == [6 * y + x for y, x in moves_of(board, 1)]
