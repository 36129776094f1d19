"""What the games of this folder share: where squares lie in the bits, and how a board turns."""

from functools import cached_property

import numpy as np

from datamodules.games.bits import unpack
from dlmodules.protocols.games import Bits, Boards, Floats, Integers, Symmetry


class BitBoard:
    """A board of H x W squares, kept in the bits of a number.

    Args:
        squares: ``(H, W)``, the bit of each square; its first row is the top of the board.
    """

    num_planes = 2

    def __init__(self, squares: Integers) -> None:
        self.squares: Bits = squares.astype(np.uint64)
        self.board_shape: tuple[int, int] = (squares.shape[0], squares.shape[1])

    def start(self, n: int) -> Boards:
        """Return ``n`` games on an empty board."""
        return Boards(np.zeros(n, np.uint64), np.zeros(n, np.uint64), np.zeros(n, np.int64))

    def planes(self, boards: Boards) -> Floats:
        """Return the squares of the player to move and those of the opponent, ``(N, 2, H, W)`` of 0 and 1."""
        both = np.stack((boards.own, boards.other), 1).reshape(-1)
        return unpack(both, self.squares.reshape(-1)).reshape(-1, self.num_planes, *self.board_shape)

    def text(self, boards: Boards, index: int) -> str:
        """Return one position in a line for each row: X is of the first player, O of the second, a point is empty."""
        own, other = self.planes(boards.at([index]))[0]
        first, second = (own, other) if boards.ply[index] % 2 == 0 else (other, own)
        signs = np.where(first > 0, "X", np.where(second > 0, "O", "."))
        return "\n".join(" ".join(row) for row in signs.tolist())


class SquareBoard(BitBoard):
    """A board of ``side`` x ``side`` squares whose actions are its squares, row by row, and then ``others``."""

    def __init__(self, side: int, others: int = 0) -> None:
        super().__init__(np.arange(side * side).reshape(side, side))
        self.num_actions = side * side + others

    @cached_property
    def symmetries(self) -> list[Symmetry]:
        """The four rotations of the board, and those of its mirror image."""
        side = self.board_shape[0]
        squares = np.arange(side * side).reshape(side, side)
        others = np.arange(side * side, self.num_actions)
        turned = [np.rot90(board, k).reshape(-1) for board in (squares, squares[:, ::-1]) for k in range(4)]
        return [Symmetry(order, np.concatenate((order, others))) for order in turned]

    def action_name(self, action: int) -> str:
        """Return the letter of the column and the number of the row, counted from the top left: a1."""
        row, column = divmod(action, self.board_shape[1])
        return f"{'abcdefgh'[column]}{row + 1}"
