"""What a picture of a board needs to know of a game, whichever it is."""

import numpy as np

from dlmodules.protocols.games import Boards, Flags, Floats, Game, Integers


def discs(game: Game, boards: Boards, index: int) -> Integers:
    """Return who is where on the board of game ``index``, ``(H, W)``: 1 the first player, 2 the second, 0 nobody."""
    alone = boards.at([index])
    own, other = game.planes(alone)[0, :2]
    mine = 1 + int(alone.ply[0]) % 2
    return np.where(own > 0, mine, np.where(other > 0, 3 - mine, 0))


def entered_squares(game: Game, boards: Boards, index: int) -> Integers:
    """Return which empty square each legal action of game ``index`` takes, ``(A,)``, counted row by row.

    It is -1 for an action that is not legal, and for one that takes no square, such as a pass.
    """
    squares = np.full(game.num_actions, -1, np.int64)
    actions = np.flatnonzero(game.legal(boards.at([index]))[0])
    before = boards.at(np.full(len(actions), index))
    new = _occupied(game, game.play(before, actions)) & ~_occupied(game, before)
    squares[actions] = np.where(new.any(1), new.argmax(1), -1)
    return squares


def on_squares(values: Floats, squares: Integers, board_shape: tuple[int, int]) -> Floats:
    """Return the values ``(A,)`` of actions on the squares that they take, ``(H, W)``; NaN where there is none."""
    board = np.full(board_shape[0] * board_shape[1], np.nan, np.float32)
    board[squares[squares >= 0]] = values[squares >= 0]
    return board.reshape(board_shape)


def _occupied(game: Game, boards: Boards) -> Flags:
    """Return which squares hold a disc, ``(N, H * W)``."""
    occupied: Flags = game.planes(boards)[:, :2].max(1) > 0
    return occupied.reshape(len(occupied), occupied.shape[1] * occupied.shape[2])
