"""Where the numbered states of an environment lie on a grid, and where its actions lead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Move = tuple[int, int]
"""Rows down and columns to the right."""
MOVES: tuple[Move, ...] = ((0, -1), (1, 0), (0, 1), (-1, 0))
WALL = "#"


@dataclass(frozen=True)
class Cells:
    """A grid whose cells are the states, numbered in rows.

    Attributes:
        shape: rows and columns.
        letters: of each state, what is in its cell: ``#`` a wall, ``.`` nothing.
        moves: where each action leads, one cell in one direction; None for one that leads nowhere.
        ends: whether episodes end in each state.
    """

    shape: tuple[int, int]
    letters: str
    moves: tuple[Move | None, ...]
    ends: tuple[bool, ...]

    @property
    def leads_everywhere(self) -> bool:
        """Whether each direction has its action, and there are no others."""
        return set(self.moves) == set(MOVES) and len(self.moves) == len(MOVES)

    def place(self, state: int) -> tuple[int, int]:
        """Return the row and the column of a state."""
        return divmod(state, self.shape[1])


def cells_of(env: Any) -> Cells | None:
    """Return the grid of an environment with a table of transitions ``P``; None where its states lie on none.

    A grid shows itself by ``grid_shape``, by ``nrow`` and ``ncol`` or by a ``shape`` of two, and its letters by
    ``cells`` or ``desc``. Which way an action leads is read from ``P``: on the average, over the cells beside.
    """
    bare = env.unwrapped
    table, size = getattr(bare, "P", None), getattr(env.observation_space, "n", None)
    shape = _shape(bare)
    if table is None or size is None or shape is None or shape[0] * shape[1] != size:
        return None
    moves = tuple(_direction(table, action, shape[1]) for action in range(int(env.action_space.n)))
    return Cells(shape, _letters(bare, int(size)), moves, _ends(table))


def _shape(env: Any) -> tuple[int, int] | None:
    by_names = getattr(env, "nrow", None), getattr(env, "ncol", None)
    found: Any = getattr(env, "grid_shape", None) or (getattr(env, "shape", ()) if None in by_names else by_names)
    return (int(found[0]), int(found[1])) if len(found) == 2 else None


def _letters(env: Any, size: int) -> str:
    rows = getattr(env, "cells", None)
    if rows is None:
        rows = [[bytes(letter).decode() for letter in row] for row in getattr(env, "desc", [])]
    letters = "".join("".join(row) for row in rows).replace("F", ".")  # frozen, with nothing on it
    return letters if len(letters) == size else "." * size


def _direction(table: Mapping[int, Any], action: int, columns: int) -> Move | None:
    mean = np.zeros(2)
    for state, row in table.items():
        for probability, after, _, _ in row[action]:
            step = np.subtract(divmod(int(after), columns), divmod(state, columns))
            if np.abs(step).sum() == 1:
                mean += probability * step
    if np.isclose(*np.abs(mean)):
        return None
    axis = int(np.abs(mean).argmax())
    sign = 1 if mean[axis] > 0 else -1
    return (sign, 0) if axis == 0 else (0, sign)


def _ends(table: Mapping[int, Sequence[Any]]) -> tuple[bool, ...]:
    entered = {
        int(after) for row in table.values() for outcomes in _rows(row) for _, after, _, ends in outcomes if ends
    }
    return tuple(state in entered for state in range(len(table)))


def _rows(row: Any) -> Sequence[Any]:
    return list(row.values()) if isinstance(row, Mapping) else row
