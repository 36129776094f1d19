"""Monte Carlo tree search: upper confidence bounds choose what to follow (UCT), games at random say what it is worth.

Paper: Kocsis, Szepesvári, "Bandit based Monte-Carlo Planning", 2006; Coulom, "Efficient Selectivity and Backup
Operators in Monte-Carlo Tree Search", 2006.
Books: vasilev 9.11.
"""

from collections.abc import Iterator

import numpy as np

from dlmodules.protocols.games import Analysis, Boards, Floats, Game, Integers
from dlmodules.rl.search.random_player import random_actions
from dlmodules.rl.search.scores import UCT
from dlmodules.rl.search.trees import Trees
from dlmodules.validation.arguments import check_at_least, check_at_least_one

ROWS = 1 << 20
"""Nodes of all trees that are searched at the same time; further games come afterwards."""


def random_games(game: Game, boards: Boards, rng: np.random.Generator) -> Floats:
    """Play running games ``(N,)`` to their ends at random, and return what that was worth to the player to move."""
    value = np.zeros(len(boards.ply), np.float32)
    playing = np.arange(len(boards.ply))
    sign = np.float32(1)
    while len(playing):
        boards = game.play(boards, random_actions(game.legal(boards), rng))
        sign = -sign
        ended, outcome = game.outcome(boards)
        if ended.any():
            value[playing[ended]] = sign * outcome[ended]
            playing, boards = playing[~ended], boards.at(~ended)
    return value


def search(game: Game, boards: Boards, simulations: int, c: float, rng: np.random.Generator) -> Trees:
    """Return the trees of running games after ``simulations`` of UCT, a random game from each new leaf."""

    def evaluate(leaves: Boards) -> tuple[Floats, Floats]:
        order = rng.random((len(leaves.ply), game.num_actions), np.float32)  # in which actions are tried
        return order, random_games(game, leaves, rng)

    score = UCT(c)
    trees = Trees(game, boards, rng.random((len(boards.ply), game.num_actions), np.float32), simulations)
    for _ in range(simulations):
        trees.simulate(score, evaluate)
    return trees


def _best(trees: Trees) -> Integers:
    """Return the root actions of most visits; of several, that of the highest value."""
    # Values differ by 2 at most, so a third of them decides between equal visits alone.
    best: Integers = (trees.root_visits + trees.root_values / 3).argmax(1)
    return best


class UCTPlayer:
    """Plays the action that a Monte Carlo tree search followed most.

    Args:
        simulations: games at random for each move.
        c: how much is explored, in units of the values, which lie in [-1, 1].
        seed: of the games at random. The same seed and the same calls give the same moves.
    """

    def __init__(self, simulations: int = 1000, c: float = 2.0, seed: int = 0) -> None:
        check_at_least_one(simulations=simulations)
        check_at_least(0, c=c)
        self.simulations = simulations
        self.c = c
        self.rng = np.random.default_rng(seed)

    @property
    def name(self) -> str:
        """``uct:`` and the number of simulations."""
        return f"uct:{self.simulations}"

    def choose(self, game: Game, boards: Boards) -> Integers:
        """Return the action ``(N,)`` of most visits in each of N games; of several, that of the highest value."""
        return np.concatenate([_best(trees) for trees in self._searches(game, boards)])

    def analyse(self, game: Game, boards: Boards) -> Analysis:
        """Return the fraction of visits, the mean value of the chosen action, and the principal variation."""
        policy, value, lines = [], [], []
        for trees in self._searches(game, boards):
            policy.append(trees.root_visits / self.simulations)
            value.append(trees.root_values[np.arange(trees.num_games), _best(trees)])
            lines += [trees.principal_variation(index) for index in range(trees.num_games)]
        return Analysis(np.concatenate(policy), np.concatenate(value), lines)

    def _searches(self, game: Game, boards: Boards) -> Iterator[Trees]:
        at_once = max(1, ROWS // (self.simulations + 1))
        for group in boards.split(at_once):
            yield search(game, group, self.simulations, self.c, self.rng)
