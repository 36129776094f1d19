"""Figures of the values that an agent has in a table."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from callbacks.episodes.cells import WALL, Cells

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Values = npt.NDArray[np.float64]
COLOURS = "viridis"
WALL_COLOUR = "0.3"
MARK = "red"
TIE = 1e-3
"""Best actions differ by less than this part of their value: by no more than the numbers show."""
MOST_NUMBERS = 150
"""Cells of a grid in which numbers can still be read."""
MOST_COLUMNS = 1000
"""States that a picture shows side by side."""


def table_figure(cells: Cells | None, v: Values, q: Values | None, state: int | None = None) -> "Figure":
    """Return ``grid_figure`` where the states lie on a grid, else ``heat_figure``."""
    return heat_figure(v, q, state) if cells is None else grid_figure(cells, v, q, state)


def grid_figure(cells: Cells, v: Values, q: Values | None, state: int | None = None) -> "Figure":
    """Return the map of the values of states, with arrows of the best actions, and the map of the values of actions.

    Args:
        cells: the grid.
        v: ``(S,)``.
        q: ``(S, A)``; without it, or where actions are no moves in the four directions, there is the first map alone.
        state: is marked; None marks none.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    has_moves = q is not None and cells.leads_everywhere
    rows, columns = cells.shape
    size = max(0.6, min(1.1, 9 / columns))
    panels = 2 if has_moves else 1
    figure = Figure(figsize=(panels * (columns * size + 1.2), rows * size + 0.7), dpi=110, layout="constrained")
    all_axes = np.atleast_1d(figure.subplots(1, panels))
    _state_map(all_axes[0], cells, v, q if has_moves else None)
    if q is not None and has_moves:
        _action_map(all_axes[1], cells, q)
    if state is not None:
        row, column = cells.place(state)
        for axes in all_axes:
            axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor="none", edgecolor=MARK, linewidth=3))
    return figure


def heat_figure(v: Values, q: Values | None, state: int | None = None) -> "Figure":
    """Return a map of values whose states lie on no grid: actions in rows, states in columns.

    Where there are too many states they fill a rectangle row by row, and what is shown is the value ``v`` ``(S,)``.
    ``state`` is marked, where it is given.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3 if len(v) <= MOST_COLUMNS else 6), dpi=110, layout="constrained")
    axes: Any = figure.subplots()
    style = {"aspect": "auto", "interpolation": "nearest", "cmap": COLOURS}
    if len(v) <= MOST_COLUMNS:
        shown = axes.imshow(v[None] if q is None else q.T, **style)
        axes.set(xlabel="state", ylabel="value" if q is None else "action", title="value of each action in each state")
        axes.set_yticks([] if q is None else range(q.shape[1]))
        if state is not None:
            axes.axvline(state, color=MARK)
    else:
        rows = max(side for side in range(1, int(len(v) ** 0.5) + 1) if len(v) % side == 0)
        columns = len(v) // rows
        shown = axes.imshow(v.reshape(rows, columns), **style)
        axes.set(title="value of each state, row by row", xlabel=f"{columns} states in a row", ylabel="row")
        if state is not None:
            axes.plot(state % columns, state // columns, "o", color=MARK)
    figure.colorbar(shown, ax=axes)
    return figure


def _state_map(axes: Any, cells: Cells, v: Values, q: Values | None) -> None:
    shown = np.ma.masked_array(v.reshape(cells.shape), mask=_walls(cells))
    image = axes.imshow(shown, cmap=COLOURS)
    _frame(axes, cells, "value of each state" if q is None else "value of each state, best actions")
    axes.figure.colorbar(image, ax=axes, shrink=0.8)
    for state in range(len(v)):
        row, column = cells.place(state)
        letter = cells.letters[state]
        if letter == WALL:
            continue
        colour = _readable(image, v[state])
        if len(v) <= MOST_NUMBERS:
            low = 0.3 if q is not None and not cells.ends[state] else 0.0
            axes.text(column, row + low, f"{v[state]:.3g}", ha="center", va="center", fontsize=8, color=colour)
        if letter.isalpha():
            axes.text(column - 0.42, row - 0.3, letter, fontsize=7, color=colour)
        if q is not None and not cells.ends[state]:
            _arrows(axes, cells, state, q[state], colour)


def _arrows(axes: Any, cells: Cells, state: int, q: Values, colour: str) -> None:
    row, column = cells.place(state)
    best = q.max()
    for value, move in zip(q, cells.moves, strict=True):
        if move is not None and value >= best - TIE * abs(best):
            down, right = 0.3 * move[0], 0.3 * move[1]
            style = {"arrowstyle": "->", "color": colour, "lw": 1.2, "shrinkA": 0, "shrinkB": 0}
            axes.annotate("", (column + right, row - 0.08 + down), (column, row - 0.08), arrowprops=style)


def _action_map(axes: Any, cells: Cells, q: Values) -> None:
    from matplotlib.collections import PolyCollection

    corners, values, places = [], [], []
    for state in range(len(q)):
        if cells.letters[state] == WALL or cells.ends[state]:
            continue
        row, column = cells.place(state)
        for value, move in zip(q[state], cells.moves, strict=True):
            down, right = move or (0, 0)
            across = (right / 2, down / 2)  # half a side to the left and to the right of where the triangle opens
            middle = (column + right / 2, row + down / 2)
            ends = [(middle[0] + sign * across[1], middle[1] + sign * across[0]) for sign in (-1, 1)]
            corners.append([(column, row), *ends])
            values.append(value)
            places.append((column + 0.31 * right, row + 0.31 * down))
    triangles = PolyCollection(corners, array=np.array(values), cmap=COLOURS, edgecolors="white", linewidths=0.5)
    axes.add_collection(triangles)
    _frame(axes, cells, "value of each action")
    axes.figure.colorbar(triangles, ax=axes, shrink=0.8)
    for state, (row, column) in enumerate(map(cells.place, range(len(q)))):
        if cells.ends[state] and cells.letters[state] != WALL:
            letter = cells.letters[state]
            axes.text(column, row, letter if letter.isalpha() else "end", ha="center", va="center", fontsize=8)
    if len(q) <= MOST_NUMBERS / 2:
        for (x, y), value in zip(places, values, strict=True):
            colour = _readable(triangles, value)
            axes.text(x, y, f"{value:.3g}", ha="center", va="center", fontsize=6, color=colour)


def _frame(axes: Any, cells: Cells, title: str) -> None:
    from matplotlib.patches import Rectangle

    rows, columns = cells.shape
    for state in range(rows * columns):
        row, column = cells.place(state)
        colour = WALL_COLOUR if cells.letters[state] == WALL else "none"
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour, edgecolor="white", linewidth=1.0))
    axes.set(title=title, xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5), xticks=[], yticks=[], aspect="equal")


def _walls(cells: Cells) -> npt.NDArray[np.bool_]:
    return np.array([letter == WALL for letter in cells.letters]).reshape(cells.shape)


def _readable(image: Any, value: float) -> str:
    red, green, blue, _ = image.cmap(image.norm(value))
    return "black" if 0.3 * red + 0.6 * green + 0.1 * blue > 0.5 else "white"
