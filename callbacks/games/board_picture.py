"""A position as a picture, with what a search thinks of the moves."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from dlmodules.protocols.game_squares import discs, entered_squares, on_squares
from dlmodules.protocols.games import Analysis, Boards, Game

COLOURS = {1: "#c0392b", 2: "#f1c40f"}
"""Of the first and of the second player's discs."""


def board_picture(game: Game, boards: Boards, analysis: Analysis | None = None, index: int = 0) -> Figure:
    """Plot a position, and over the squares of the moves how often a search followed them.

    Args:
        game: the rules.
        boards: N positions.
        analysis: what a player thinks of them; its value and the moves that it expects are the title.
        index: which of the positions.

    Returns:
        The figure; a square is the darker the more often its move was followed.
    """
    height, width = game.board_shape
    figure = Figure(figsize=(0.75 * width + 0.4, 0.75 * height + 1.0), layout="constrained")
    axes = figure.subplots()
    if analysis is not None:
        _add_heat(figure, game, boards, analysis, index)
    for (row, column), player in np.ndenumerate(discs(game, boards, index)):
        if player:
            axes.add_patch(Circle((column, row), 0.4, facecolor=COLOURS[int(player)], edgecolor="black"))
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect="equal", xticks=[], yticks=[])
    axes.set_xticks(np.arange(width + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(height + 1) - 0.5, minor=True)
    axes.grid(visible=True, which="minor", color="0.6")
    axes.tick_params(which="minor", length=0)
    mover = "red" if boards.ply[index] % 2 == 0 else "yellow"
    axes.set_xlabel("the game has ended" if game.outcome(boards.at([index]))[0][0] else f"{mover} to move")
    return figure


def _add_heat(figure: Figure, game: Game, boards: Boards, analysis: Analysis, index: int) -> None:
    """Colour the squares of the moves by the policy, with per cent on them, and say value and moves in the title."""
    axes = figure.axes[0]
    heat = on_squares(analysis.policy[index], entered_squares(game, boards, index), game.board_shape)
    axes.imshow(heat, cmap="Greens", vmin=0, vmax=1)
    for (row, column), fraction in np.ndenumerate(heat):
        if np.isfinite(fraction):
            colour = "white" if fraction > 0.5 else "black"
            axes.text(column, row, f"{100 * fraction:.0f}%", ha="center", va="center", color=colour)
    line = " ".join(game.action_name(action) for action in analysis.lines[index][:6]) if analysis.lines else ""
    axes.set_title(f"value {analysis.value[index]:+.2f}" + (f"\nexpects {line}" if line else ""), fontsize=10)
