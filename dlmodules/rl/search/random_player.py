"""Moves at random: what any player must beat."""

import numpy as np

from dlmodules.protocols.games import Boards, Flags, Game, Integers


def random_actions(legal: Flags, rng: np.random.Generator) -> Integers:
    """Return one of the legal actions ``(N, A)`` in each of N games, all alike likely, ``(N,)``."""
    actions: Integers = np.where(legal, rng.random(legal.shape, np.float32), np.float32(-1)).argmax(1)
    return actions


class RandomPlayer:
    """Plays any legal action.

    Args:
        seed: the same seed and the same calls give the same moves.
    """

    name = "random"

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)

    def choose(self, game: Game, boards: Boards) -> Integers:
        """Return a legal action ``(N,)`` in each of N running games."""
        return random_actions(game.legal(boards), self.rng)
