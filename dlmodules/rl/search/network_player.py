"""A player who asks a network, and searches with it."""

import numpy as np

from dlmodules.protocols.games import Analysis, Boards, Game, Integers
from dlmodules.rl.search.inference import Inference
from dlmodules.rl.search.policies import visit_policy, without_proven_worse
from dlmodules.rl.search.puct import search
from dlmodules.rl.search.trees import Score

ROWS = 1 << 18
"""Nodes of all trees that are searched at the same time; further games come afterwards."""


class NetworkPlayer:
    """Plays the action that a search led by a network has followed most, without chance.

    Args:
        inference: asks the network.
        score: what the search follows.
        simulations: of a search; 0 plays the most probable action of the network's policy.
        name: what it is called.
    """

    def __init__(self, inference: Inference, score: Score, simulations: int = 100, name: str = "alphazero") -> None:
        self.inference = inference
        self.score = score
        self.simulations = simulations
        self.name = f"{name}:{simulations}"

    def choose(self, game: Game, boards: Boards) -> Integers:
        """Return the best action ``(N,)`` in each of N running games, the first of several."""
        best: Integers = self.analyse(game, boards).policy.argmax(1)
        return best

    def analyse(self, game: Game, boards: Boards) -> Analysis:
        """Return the fractions of the visits, the value and the principal variation of each game."""
        at_once = max(1, ROWS // (self.simulations + 1))
        found = [self._analyse(game, group) for group in boards.split(at_once)]
        return Analysis(
            np.concatenate([one.policy for one in found]),
            np.concatenate([one.value for one in found]),
            [line for one in found for line in one.lines],
        )

    def _analyse(self, game: Game, boards: Boards) -> Analysis:
        if self.simulations == 0:
            prior, value = self.inference(game, boards)
            return Analysis(prior, value, [[int(action)] for action in prior.argmax(1)])
        found = search(
            game, boards, lambda leaves: self.inference(game, leaves), self.simulations, self.score, lines=True
        )
        return Analysis(visit_policy(without_proven_worse(found.visits, found)), found.value, found.lines)
