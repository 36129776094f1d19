"""Moves at random in one game at a time."""

import numpy as np

from dlmodules.protocols.games import Boards, Game


def random_move(game: Game, boards: Boards, rng: np.random.Generator) -> Boards:
    """Return one running game ``(1,)`` after a legal move at random, all alike likely."""
    return game.play(boards, rng.choice(np.flatnonzero(game.legal(boards)[0]), 1))


def random_opening(game: Game, plies: int, rng: np.random.Generator) -> Boards:
    """Return one running game after ``plies`` moves at random, or fewer where the next one would have ended it."""
    boards = game.start(1)
    for _ in range(plies):
        after = random_move(game, boards, rng)
        if game.outcome(after)[0][0]:
            break
        boards = after
    return boards
