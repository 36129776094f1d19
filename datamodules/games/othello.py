"""Othello on 6 x 6: discs that are enclosed in a line change their colour."""

import numpy as np

from datamodules.games.bits import ONE, count, mask, unpack
from datamodules.games.board import SquareBoard
from dlmodules.protocols.games import Bits, Boards, Flags, Floats, Integers

SIDE = 6
PASS = SIDE * SIDE
FULL = mask(range(SIDE * SIDE))
_FIRST, _LAST = mask(range(0, PASS, SIDE)), mask(range(SIDE - 1, PASS, SIDE))
# The four directions to higher squares: right, and down to the left, straight, and to the right. A step to the right
# may not begin in the last column, and one to the left not in the first. The other four are these, backwards.
_STEPS = np.array([1, SIDE - 1, SIDE, SIDE + 1], np.uint64)[:, None]
_ENTERED = np.array([FULL & ~_FIRST, FULL & ~_LAST, FULL, FULL & ~_FIRST], np.uint64)[:, None]
_LEFT = np.array([FULL & ~_LAST, FULL & ~_FIRST, FULL, FULL & ~_LAST], np.uint64)[:, None]


def _forwards(squares: Bits) -> Bits:
    """Move squares ``(4, N)`` or ``(N,)`` one step in each direction; those that leave the board are gone."""
    moved: Bits = (squares << _STEPS) & _ENTERED
    return moved


def _backwards(squares: Bits) -> Bits:
    moved: Bits = (squares >> _STEPS) & _LEFT
    return moved


def moves(own: Bits, other: Bits) -> Bits:
    """Return the empty squares from which discs of ``other`` would be enclosed, as bits ``(N,)``."""
    found: Bits = np.zeros_like(own)
    for step in (_forwards, _backwards):
        line = step(own) & other
        for _ in range(SIDE - 3):  # at most SIDE - 2 discs lie between two
            line |= step(line) & other
        found |= np.bitwise_or.reduce(step(line), 0)
    return found & ~own & ~other & FULL


def turned(placed: Bits, own: Bits, other: Bits) -> Bits:
    """Return the discs of ``other`` that the disc ``placed`` encloses, as bits ``(N,)``."""
    found: Bits = np.zeros_like(own)
    for step in (_forwards, _backwards):
        line = step(placed) & other
        for _ in range(SIDE - 3):
            line |= step(line) & other
        closed: Flags = (step(line) & own) != 0  # a line ends in one square, so this is about all of it
        found |= np.bitwise_or.reduce(np.where(closed, line, np.uint64(0)), 0)
    return found


class Othello6(SquareBoard):
    """Othello on 6 x 6; the actions are the squares, row by row, and 36 is to pass.

    A pass is legal only where there is no other move. The game ends when the board is full or neither player can
    move, which is where two passes would follow each other. More discs win.
    """

    name = "othello6"
    max_plies = 2 * (PASS - 4)  # between any two moves there may be a pass

    def __init__(self) -> None:
        super().__init__(SIDE, others=1)

    def start(self, n: int) -> Boards:
        """Return ``n`` games with four discs in the middle."""
        middle = SIDE // 2
        corner = SIDE * (middle - 1) + middle - 1
        own, other = mask([corner + 1, corner + SIDE]), mask([corner, corner + SIDE + 1])
        return Boards(np.full(n, own), np.full(n, other), np.zeros(n, np.int64))

    def legal(self, boards: Boards) -> Flags:
        """Return the squares that enclose discs, and the pass where there is none."""
        squares = moves(boards.own, boards.other)
        return np.concatenate((unpack(squares, self.squares.reshape(-1)) > 0, (squares == 0)[:, None]), 1)

    def play(self, boards: Boards, action: Integers) -> Boards:
        """Return the positions after a disc was placed, and what it encloses turned."""
        placed = np.where(action == PASS, np.uint64(0), ONE << action.astype(np.uint64))
        change = turned(placed, boards.own, boards.other)
        return Boards(boards.other & ~change, boards.own | placed | change, boards.ply + 1)

    def outcome(self, boards: Boards) -> tuple[Flags, Floats]:
        """Return who has more discs, where neither player can move."""
        ended = (moves(boards.own, boards.other) | moves(boards.other, boards.own)) == 0
        lead = np.sign(count(boards.own) - count(boards.other)).astype(np.float32)
        return ended, np.where(ended, lead, np.float32(0))

    def action_name(self, action: int) -> str:
        """Return the square as its column and row, or ``pass``."""
        return "pass" if action == PASS else super().action_name(action)
