"""A board in the terminal, with what a search thinks of the moves."""

import numpy as np
from rich.text import Text

from dlmodules.protocols.game_squares import discs, entered_squares
from dlmodules.protocols.games import Boards, Floats, Game

CELL = 5
"""Characters of a square."""
DISCS = {1: ("X", "bold red"), 2: ("O", "bold yellow")}


def board_text(
    game: Game,
    boards: Boards,
    title: str = "",
    last_square: int = -1,
    heat: Floats | None = None,
    names_moves: bool = False,
) -> Text:
    """Return the position of the first of ``boards`` in coloured lines, which are readable without colours.

    Args:
        game: the rules.
        boards: a position.
        title: a line above.
        last_square: stands in brackets.
        heat: ``(A,)``, how often each action was chosen: per cent stand on the squares that they take.
        names_moves: name each legal move on its square.
    """
    height, width = game.board_shape
    text = Text().append(f"{title:<{CELL * width}}\n", "bold")
    filled = discs(game, boards, 0).reshape(-1)
    moves = {int(square): action for action, square in enumerate(entered_squares(game, boards, 0)) if square >= 0}
    for square in range(height * width):
        if filled[square]:
            sign, style = DISCS[int(filled[square])]
            text.append(f"{f'[{sign}]' if square == last_square else sign:^{CELL}}", style)
        elif heat is not None and square in moves and heat[moves[square]] > 0:
            text.append(f"{_per_cent(heat[moves[square]]):^{CELL}}", _shade(heat[moves[square]]))
        elif names_moves and square in moves:
            text.append(f"{game.action_name(moves[square]):^{CELL}}", "cyan")
        else:
            text.append(f"{'.':^{CELL}}", "dim")
        if square % width == width - 1 and square < height * width - 1:
            text.append("\n")
    return text


def entered(game: Game, boards: Boards, action: int) -> int:
    """Return the square that ``action`` takes, -1 for none."""
    return int(entered_squares(game, boards, 0)[action])


def _per_cent(fraction: float) -> str:
    return f"{100 * fraction:.0f}%" if fraction >= 0.005 else "<1%"


def _shade(fraction: float) -> str:
    """Return the style of a square by how often its move was chosen: the more, the greener."""
    strength = float(np.sqrt(fraction))
    return f"white on rgb({int(30 * (1 - strength))},{int(30 + 110 * strength)},{int(40 * (1 - strength)) + 20})"
