"""Games at random, with every position on the way."""

import numpy as np

from dlmodules.rl.search.random_player import random_actions


def random_games(game, n, seed=0):
    """Return for each ply the running games, their positions and actions: (numbers, boards, actions), and the ends.

    The ends are positions (N,) by number, at the ply after the last move.
    """
    rng = np.random.default_rng(seed)
    boards, numbers = game.start(n), np.arange(n)
    ends = game.start(n)
    plies = []
    while len(numbers):
        actions = random_actions(game.legal(boards), rng)
        plies.append((numbers, boards, actions))
        boards = game.play(boards, actions)
        ended, _ = game.outcome(boards)
        for rows, last in zip(ends, boards.at(ended), strict=True):
            rows[numbers[ended]] = last
        numbers, boards = numbers[~ended], boards.at(~ended)
    return plies, ends
