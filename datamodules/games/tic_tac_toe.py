"""TicTacToe: three in a row on 3 x 3."""

import numpy as np

from datamodules.games.bits import ONE, mask, unpack
from datamodules.games.board import SquareBoard
from dlmodules.protocols.games import Bits, Boards, Flags, Floats, Integers

_ROWS = [[3 * row + column for column in range(3)] for row in range(3)]
_COLUMNS = [list(column) for column in zip(*_ROWS, strict=True)]
_LINES = np.array([mask(line) for line in (*_ROWS, *_COLUMNS, (0, 4, 8), (2, 4, 6))], np.uint64)
_FULL = mask(range(9))


def _has_line(squares: Bits) -> Flags:
    complete: Flags = ((squares[:, None] & _LINES) == _LINES).any(1)
    return complete


class TicTacToe(SquareBoard):
    """Three in a row on 3 x 3; the actions are the squares, row by row."""

    name = "tic_tac_toe"
    max_plies = 9

    def __init__(self) -> None:
        super().__init__(3)

    def legal(self, boards: Boards) -> Flags:
        """Return the empty squares."""
        empty: Flags = unpack(boards.own | boards.other, self.squares.reshape(-1)) == 0
        return empty

    def play(self, boards: Boards, action: Integers) -> Boards:
        """Return the positions after a square was taken."""
        taken = boards.own | (ONE << action.astype(np.uint64))
        return Boards(boards.other, taken, boards.ply + 1)

    def outcome(self, boards: Boards) -> tuple[Flags, Floats]:
        """Return -1 where the opponent has three in a row; a full board without is a draw."""
        lost = _has_line(boards.other)
        full = (boards.own | boards.other) == _FULL
        return lost | full, np.where(lost, np.float32(-1), np.float32(0))
