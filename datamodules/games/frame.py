"""A small picture of a board, without matplotlib."""

import numpy as np
import numpy.typing as npt

from dlmodules.protocols.game_squares import discs
from dlmodules.protocols.games import Boards, Game

CELL = 48
"""Pixels of a square's side."""

BOARD, EMPTY = (40, 70, 120), (235, 238, 242)
FIRST, SECOND = (214, 64, 56), (244, 196, 48)


def board_frame(game: Game, boards: Boards, index: int = 0) -> npt.NDArray[np.uint8]:
    """Return one position as a picture ``(H, W, 3)``: the first player's pieces are red, the second's yellow."""
    players = discs(game, boards, index)
    rows, columns = game.board_shape
    middle = np.arange(CELL) - (CELL - 1) / 2
    disc = np.tile(middle[:, None] ** 2 + middle**2 <= (0.4 * CELL) ** 2, (rows, columns))
    picture = np.full((rows * CELL, columns * CELL, 3), BOARD, np.uint8)
    picture[disc] = EMPTY
    for player, colour in ((1, FIRST), (2, SECOND)):
        picture[disc & np.kron(players == player, np.ones((CELL, CELL))).astype(bool)] = colour
    return picture
