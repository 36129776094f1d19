"""Minimax: what the moves of a position are worth if both players play the best there is, to some depth.

Books: vasilev 9.12 names it as what chess programs were built on.
"""

from typing import NamedTuple

import numpy as np

from dlmodules.errors import UserError
from dlmodules.protocols.games import Boards, Estimates, Flags, Floats, Game, Integers
from dlmodules.rl.search.random_player import random_actions
from dlmodules.validation.arguments import check_at_least_one

LATER = np.float32(0.99)
"""A ply later, a win is worth so much less and a loss costs so much less: wins are not put off, and losses are."""

AT_ONCE = 1 << 20
"""Positions of one depth that there may be at the same time; further games come afterwards."""

MOST = 1 << 21
"""Moves from the positions of one depth, before those that meet are merged; with more the memory would not last."""


class _Depth(NamedTuple):
    """All positions of one depth, and where their moves lead."""

    ended: Flags
    outcome: Floats
    position: Integers
    action: Integers
    leads_to: Integers


def action_values(game: Game, boards: Boards, depth: int | None = None, estimates: bool = True) -> Floats:
    """Return what the legal actions of N running games are worth to the player to move, ``(N, A)`` in [-1, 1].

    All positions of a depth are looked at together, and one that several ways lead to is looked at once: as a table
    of positions, and for many games at a time, this takes less than to go through the moves one by one.

    Args:
        game: the rules.
        boards: the positions.
        depth: moves to look ahead; a game that is then running is worth what ``estimate`` of the rules says, or counts
            as a draw where they have none. None looks to the end of all games.
        estimates: False takes all running games for draws.

    Returns:
        The values, 0.99 times as large for each ply until the end; -inf for an action that is not legal.

    Raises:
        UserError: the positions are too many.
    """
    levels, end = [], game.max_plies if depth is None else depth
    for _ in range(end):
        ended, outcome = game.outcome(boards)
        position, action = np.nonzero(game.legal(boards) & ~ended[:, None])
        if len(position) > MOST:
            least = "a depth" if depth is None else "a smaller depth"
            raise UserError(f"{game.name} has too many positions to look {_far(depth)}: give minimax {least}")
        reached, leads_to = _merge(game.play(boards.at(position), action))
        levels.append(_Depth(ended, outcome, position, action, leads_to))
        boards = reached
        if not len(boards.ply):
            break
    ended, value = game.outcome(boards)
    if estimates and isinstance(game, Estimates) and len(boards.ply):
        value = np.where(ended, value, game.estimate(boards))
    values: Floats = np.zeros((0, game.num_actions), np.float32)
    for level in reversed(levels):
        values = np.full((len(level.ended), game.num_actions), -np.inf, np.float32)
        values[level.position, level.action] = -LATER * value[level.leads_to]
        value = np.where(level.ended, level.outcome, values.max(1))
    return values


def _far(depth: int | None) -> str:
    return "to its end" if depth is None else f"{depth} moves ahead"


def _merge(boards: Boards) -> tuple[Boards, Integers]:
    """Return the different ones among the positions, and for each of ``boards`` which of these it is."""
    order = np.lexsort(boards)
    ordered = boards.at(order)
    differs = np.ones(len(order), np.bool_)
    differs[1:] = np.any([rows[1:] != rows[:-1] for rows in ordered], 0)
    which = np.empty(len(order), np.int64)
    which[order] = np.cumsum(differs) - 1
    return ordered.at(differs), which


class MinimaxPlayer:
    """Plays an action that minimax finds best, any of several alike.

    Args:
        depth: moves to look ahead; None, for small games, looks to the end and plays without a mistake.
        seed: of the choice between actions of equal value.
        estimates: whether games that run at that depth are worth what the rules estimate; else they count as draws.
    """

    def __init__(self, depth: int | None = None, seed: int = 0, estimates: bool = True) -> None:
        if depth is not None:
            check_at_least_one(depth=depth)
        self.depth = depth
        self.estimates = estimates
        self.rng = np.random.default_rng(seed)

    @property
    def name(self) -> str:
        """``minimax``, and ``:`` and the depth where there is one."""
        return "minimax" if self.depth is None else f"minimax:{self.depth}"

    def choose(self, game: Game, boards: Boards) -> Integers:
        """Return a best action ``(N,)`` in each of N running games."""
        at_once = max(1, AT_ONCE // game.num_actions ** min(self.depth or 1, 20))
        groups = (action_values(game, group, self.depth, self.estimates) for group in boards.split(at_once))
        values = np.concatenate(list(groups))
        return random_actions(values == values.max(1, keepdims=True), self.rng)
