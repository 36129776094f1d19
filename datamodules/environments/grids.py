"""The grid worlds of the books as Gymnasium environments with a table of all that can happen.

States are cells, numbered from 0 in rows; walls are among them, and nobody comes there. Actions are numbered as in
FrozenLake: 0 left, 1 down, 2 right, 3 up. A move off the grid or into a wall leaves the agent where it is. Each
environment shows its ``grid_shape`` (rows, columns) and its ``cells``, the map's rows as text.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import gymnasium as gym
import numpy as np
from typing_extensions import override

from datamodules.environments.registering import register_once
from datamodules.environments.table_env import Outcome, TableEnv
from dlmodules.errors import UserError

MOVES = ((0, -1), (1, 0), (0, 1), (-1, 0))
"""Rows and columns by which each action moves."""
WALL = "#"
# What can be seen of a cell by its letter: the colour of its ground.
GROUNDS = {
    WALL: (60, 64, 72),
    "S": (226, 236, 250),
    "G": (150, 210, 150),
    "H": (70, 90, 130),
    "T": (230, 150, 140),
    "C": (250, 214, 165),
}
GROUND = (250, 250, 248)
LINE = (205, 205, 200)
AGENT = (40, 90, 200)
CELL = 64
"""Pixels of a cell's side."""


class Grid(TableEnv):
    """A world of cells between which an agent moves.

    Args:
        cells: the map, one text of equal length for each row; a letter a cell, ``#`` for a wall.
        reward: what a move gives that leads into a cell of that letter; those that are not named give ``step_reward``.
        terminal: letters of the cells where an episode ends.
        initial: letters of the cells where one begins, each alike.
        step_reward: what all other moves give.
        render_mode: ``rgb_array`` for pictures; None draws nothing.
    """

    def __init__(
        self,
        cells: Sequence[str],
        reward: Mapping[str, float],
        terminal: str,
        initial: str,
        step_reward: float = 0.0,
        render_mode: str | None = None,
    ) -> None:
        if len({len(row) for row in cells}) != 1 or not cells[0]:
            raise UserError(f"the rows of a grid must be of one length, 1 or more: {list(cells)}")
        self.cells = [*cells]
        self.grid_shape = (len(cells), len(cells[0]))
        letters = "".join(cells)
        starts = np.array([letter in initial for letter in letters], dtype=np.float64)
        if not starts.any():
            raise UserError(f"no cell of the grid has one of the letters {initial}, where episodes begin")

        def outcome(state: int, move: tuple[int, int]) -> Outcome:
            if letters[state] in terminal + WALL:
                return 1.0, state, 0.0, True
            row, column = (place + step for place, step in zip(divmod(state, len(cells[0])), move, strict=True))
            is_inside = 0 <= row < len(cells) and 0 <= column < len(cells[0])
            after = row * len(cells[0]) + column if is_inside else state
            after = state if letters[after] == WALL else after
            letter = letters[after]
            gained = reward.get(letter, step_reward) if after != state else step_reward
            return 1.0, after, float(gained), letter in terminal

        table = [[[outcome(state, move)] for move in MOVES] for state in range(len(letters))]
        super().__init__(table, (starts / starts.sum()).tolist(), render_mode)

    @override
    def picture(self) -> Any:
        from PIL import Image, ImageDraw

        image = Image.fromarray(self._ground)
        row, column = divmod(self.state, self.grid_shape[1])
        # Drawn four times as large and then reduced, for a round edge.
        disc = Image.new("L", (4 * CELL, 4 * CELL))
        ImageDraw.Draw(disc).ellipse((CELL, CELL, 3 * CELL, 3 * CELL), fill=255)
        image.paste(AGENT, (column * CELL, row * CELL), disc.resize((CELL, CELL)))
        return np.asarray(image)

    @cached_property
    def _ground(self) -> Any:
        rows, columns = self.grid_shape
        ground = np.empty((rows * CELL, columns * CELL, 3), dtype=np.uint8)
        for row, letters in enumerate(self.cells):
            for column, letter in enumerate(letters):
                cell = ground[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL]
                cell[:] = GROUNDS.get(letter, GROUND)
                cell[[0, -1]] = LINE
                cell[:, [0, -1]] = LINE
        return ground


class GridWorld(Grid):
    """Four by four cells; each move costs 1 until a corner is reached: the first or the last cell (vasilev 8.4).

    Episodes begin in each of the other cells alike.

    Args:
        size: rows, and columns.
        render_mode: ``rgb_array`` for pictures; None draws nothing.
    """

    def __init__(self, size: int = 4, render_mode: str | None = None) -> None:
        if size < 2:
            raise UserError(f"GridWorld: size is {size}; it must be 2 or more")
        letters = "G" + "." * (size * size - 2) + "G"
        cells = [letters[start : start + size] for start in range(0, len(letters), size)]
        super().__init__(cells, {}, terminal="G", initial=".", step_reward=-1.0, render_mode=render_mode)


class Maze(Grid):
    """A maze with carrots and traps: which way is the best to its exit (vasilev 8.1, 8.2)?

    Each move gives ``step_reward``, and more where it leads into a cell with something in it. A trap hurts and holds
    nobody. A carrot grows again, so that the cell alone is the state; as long as it is worth less than two steps
    nobody gains by going to and fro.

    Args:
        cells: the map: ``S`` start, ``.`` path, ``#`` wall, ``C`` carrot, ``T`` trap, ``G`` exit. None is one of six
            rows and eight columns.
        step_reward: of each move.
        carrot_reward: added where a move leads to a carrot.
        trap_reward: added where one leads into a trap.
        exit_reward: added where one leads to the exit.
        render_mode: ``rgb_array`` for pictures; None draws nothing.
    """

    def __init__(
        self,
        cells: Sequence[str] | None = None,
        step_reward: float = -1.0,
        carrot_reward: float = 1.0,
        trap_reward: float = -10.0,
        exit_reward: float = 20.0,
        render_mode: str | None = None,
    ) -> None:
        extra = {"C": carrot_reward, "T": trap_reward, "G": exit_reward}
        super().__init__(
            _MAZE if cells is None else cells,
            {letter: step_reward + more for letter, more in extra.items()},
            terminal="G",
            initial="S",
            step_reward=step_reward,
            render_mode=render_mode,
        )


# The shortest way, 12 moves, leads through a trap and gives -2; the best, of 16, past a carrot, gives 5.
_MAZE = (
    "S..#....",
    ".#.#.#..",
    ".#...#C.",
    ".##T###.",
    ".C#...#.",
    "##.....G",
)


class QWorld(Grid):
    """Two rows of three cells: a goal at the upper right for 100, a hole beneath it for -100 (atienza 9.3).

    Args:
        render_mode: ``rgb_array`` for pictures; None draws nothing.
    """

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__(("S.G", "..H"), {"G": 100.0, "H": -100.0}, "GH", "S", render_mode=render_mode)


def register_grids() -> None:
    """Tell Gymnasium of the grids, once."""
    environments: dict[str, Callable[..., gym.Env[Any, Any]]] = {"GridWorld": GridWorld, "Maze": Maze, "QWorld": QWorld}
    for name, made in environments.items():
        register_once(f"dlmodules/{name}-v0", made, max_episode_steps=100)
