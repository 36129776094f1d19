"""Connect Four: four in a row on 7 columns of 6, into which discs fall."""

from functools import cached_property

import numpy as np

from datamodules.games.bits import count, mask
from datamodules.games.board import BitBoard
from dlmodules.protocols.games import Bits, Boards, Flags, Floats, Integers, Symmetry

HEIGHT, WIDTH = 6, 7
# A column is seven bits, the lowest disc first. The seventh stays empty, so that no line runs on in the next column.
STRIDE = HEIGHT + 1
BOTTOM = np.array([mask([STRIDE * column]) for column in range(WIDTH)], np.uint64)
TOP = np.array([mask([STRIDE * column + HEIGHT - 1]) for column in range(WIDTH)], np.uint64)
COLUMN = np.array([mask(range(STRIDE * column, STRIDE * column + HEIGHT)) for column in range(WIDTH)], np.uint64)
FULL = np.bitwise_or.reduce(COLUMN)
_DIRECTIONS = [np.uint64(step) for step in (1, STRIDE - 1, STRIDE, STRIDE + 1)]

_WEIGHTS = np.array([0, 1, 4, 9, 0], np.float32)
"""What a line of four is worth to a player who alone has so many discs in it."""


def _lines() -> Bits:
    """Return the 69 lines of four."""
    lines = []
    for column in range(WIDTH):
        for row in range(HEIGHT):
            for across, up in ((0, 1), (1, 0), (1, 1), (1, -1)):
                if column + 3 * across < WIDTH and 0 <= row + 3 * up < HEIGHT:
                    lines.append(mask(STRIDE * (column + k * across) + row + k * up for k in range(4)))
    return np.array(lines, np.uint64)


LINES = _lines()


def has_four(squares: Bits) -> Flags:
    """Return where the squares ``(N,)`` hold four in a row."""
    found = np.zeros_like(squares)
    for step in _DIRECTIONS:
        pairs = squares & (squares >> step)
        found |= pairs & (pairs >> (step + step))
    four: Flags = found != 0
    return four


class ConnectFour(BitBoard):
    """Four in a row on 6 rows of 7; the actions are the columns, left to right."""

    name = "connect_four"
    num_actions = WIDTH
    max_plies = HEIGHT * WIDTH

    def __init__(self) -> None:
        columns, rows = np.arange(WIDTH), np.arange(HEIGHT)[::-1]
        super().__init__(STRIDE * columns[None, :] + rows[:, None])

    def legal(self, boards: Boards) -> Flags:
        """Return the columns that are not full."""
        open_columns: Flags = ((boards.own | boards.other)[:, None] & TOP) == 0
        return open_columns

    def play(self, boards: Boards, action: Integers) -> Boards:
        """Return the positions after a disc fell into each column."""
        # Adding the bottom of a column carries through its discs to the first empty square.
        fallen = (boards.own | boards.other) + BOTTOM[action]
        return Boards(boards.other, boards.own | (fallen & COLUMN[action]), boards.ply + 1)

    def outcome(self, boards: Boards) -> tuple[Flags, Floats]:
        """Return -1 where the opponent has four in a row; a full board without is a draw."""
        lost = has_four(boards.other)
        full = (boards.own | boards.other) == FULL
        return lost | full, np.where(lost, np.float32(-1), np.float32(0))

    def estimate(self, boards: Boards) -> Floats:
        """Return who is ahead by the lines of four that are still open to one player alone, ``(N,)``."""
        own, other = count(boards.own[:, None] & LINES), count(boards.other[:, None] & LINES)
        lead = np.where(other == 0, _WEIGHTS[own], 0).sum(1) - np.where(own == 0, _WEIGHTS[other], 0).sum(1)
        estimated: Floats = np.tanh(lead / np.float32(50)) / np.float32(2)
        return estimated

    @cached_property
    def symmetries(self) -> list[Symmetry]:
        """The board, and its mirror image."""
        squares = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
        columns = np.arange(WIDTH)
        return [Symmetry(squares.reshape(-1), columns), Symmetry(squares[:, ::-1].reshape(-1), columns[::-1].copy())]

    def action_name(self, action: int) -> str:
        """Return the number of the column, from 1."""
        return str(action + 1)
