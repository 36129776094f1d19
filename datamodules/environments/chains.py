"""Small chains of states as Gymnasium environments with a table of all that can happen, to see how an agent learns."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from typing_extensions import override

from datamodules.environments.registering import register_once
from datamodules.environments.table_env import Outcome, TableEnv
from dlmodules.errors import UserError

GROUND = (250, 250, 248)
LINE = (205, 205, 200)
LOSS = (230, 150, 140)
GAIN = (150, 210, 150)
AGENT = (40, 90, 200)
CELL = 32
"""Pixels of a cell's side."""


class Chain(TableEnv):
    """States in a row, which are seen as cells.

    Args:
        table: what can happen.
        initial: the state in which every episode begins.
        colours: of the cells that are not plain, by state.
        render_mode: ``rgb_array`` for pictures; None draws nothing.
    """

    def __init__(
        self,
        table: list[list[list[Outcome]]],
        initial: int,
        colours: dict[int, tuple[int, int, int]],
        render_mode: str | None = None,
    ) -> None:
        super().__init__(table, initial, render_mode)
        self.colours = colours

    @override
    def picture(self) -> Any:
        image = np.empty((CELL, CELL * len(self.P), 3), dtype=np.uint8)
        for state in range(len(self.P)):
            cell = image[:, state * CELL : (state + 1) * CELL]
            cell[:] = LINE
            cell[1:-1, 1:-1] = self.colours.get(state, GROUND)
            if state == self.state:
                cell[CELL // 4 : -CELL // 4, CELL // 4 : -CELL // 4] = AGENT
        return image


class RandomWalk(Chain):
    """A row of states with an end on either side: -1 at the left, 1 at the right, nothing on the way.

    Episodes begin in the middle. Action 0 goes left, 1 right. The ends are states too, the first and the last, so that
    with 19 states between them, and no discount, state i is worth (i - 10) / 10 to who goes either way alike. Sutton
    and Barto, 2nd ed., examples 6.2 and 7.1.

    Args:
        length: states between the two ends; odd, so that there is a middle.
        render_mode: ``rgb_array`` for pictures; None draws nothing.
    """

    def __init__(self, length: int = 19, render_mode: str | None = None) -> None:
        if length < 1 or length % 2 == 0:
            raise UserError(f"RandomWalk: length is {length}; it must be an odd number")
        last = length + 1

        def outcome(state: int, move: int) -> Outcome:
            if state in (0, last):
                return 1.0, state, 0.0, True
            after = state + move
            return 1.0, after, {0: -1.0, last: 1.0}.get(after, 0.0), after in (0, last)

        table = [[[outcome(state, move)] for move in (-1, 1)] for state in range(last + 1)]
        super().__init__(table, (length + 1) // 2, {0: LOSS, last: GAIN}, render_mode)


class MaximizationBias(Chain):
    """Right ends with nothing; left leads to where every action ends with a reward that is below nothing on average.

    Episodes begin in state 1, A, where action 0 goes left, to state 0, B, and every other one right, to the end, which
    is state 2. In B each action ends with -1.1 or 0.9, both alike: a mean of -0.1 and a deviation of 1. Of ten such
    actions some will have been lucky, and who takes the best of them for what B is worth goes left. Sutton and Barto,
    2nd ed., example 6.7, has normal rewards of the same mean and deviation, and two actions in A.

    Args:
        num_actions: how many there are, 2 or more.
        render_mode: ``rgb_array`` for pictures; None draws nothing.
    """

    def __init__(self, num_actions: int = 10, render_mode: str | None = None) -> None:
        if num_actions < 2:
            raise UserError(f"MaximizationBias: num_actions is {num_actions}; it must be 2 or more")
        lottery: list[Outcome] = [(0.5, 2, -1.1, True), (0.5, 2, 0.9, True)]
        left: list[Outcome] = [(1.0, 0, 0.0, False)]
        end: list[Outcome] = [(1.0, 2, 0.0, True)]
        table = [[lottery] * num_actions, [left, *[end] * (num_actions - 1)], [end] * num_actions]
        super().__init__(table, 1, {0: LOSS, 2: GAIN}, render_mode)


def register_chains() -> None:
    """Tell Gymnasium of the chains, once."""
    environments: dict[str, tuple[Callable[..., gym.Env[Any, Any]], int]] = {
        # Of random walks of 19 states, four in a million are longer.
        "RandomWalk": (RandomWalk, 1_000),
        "MaximizationBias": (MaximizationBias, 10),
    }
    for name, (made, limit) in environments.items():
        register_once(f"dlmodules/{name}-v0", made, max_episode_steps=limit)
