"""Rules by which a search follows actions: upper confidence bounds."""

from dataclasses import dataclass

import numpy as np

from dlmodules.protocols.games import Floats


@dataclass(frozen=True)
class UCT:
    """The mean value and ``c * sqrt(ln N / n)``, where n of the node's N visits followed the action.

    An action that was never followed comes before all others, the one of the highest prior first.

    Args:
        c: how much is explored. Values lie in [-1, 1], twice as wide as the rewards of the paper.
    """

    c: float = 2.0

    def __call__(self, visits: Floats, value_sum: Floats, prior: Floats) -> Floats:
        """Return the scores ``(B, A)``."""
        n = np.maximum(visits, 1)
        total = np.log(np.maximum(visits.sum(1, keepdims=True), 1))
        bound = value_sum / n + np.float32(self.c) * np.sqrt(total / n)
        scores: Floats = np.where(visits > 0, bound, np.float32(1e3) + prior)
        return scores


@dataclass(frozen=True)
class PUCT:
    """The mean value and ``c * prior * sqrt(N) / (1 + n)``, AlphaZero's rule.

    Args:
        c: how much is explored.
        unvisited: the value of an action that was never followed.
    """

    c: float = 1.25
    unvisited: float = 0.0

    def __call__(self, visits: Floats, value_sum: Floats, prior: Floats) -> Floats:
        """Return the scores ``(B, A)``."""
        mean = np.where(visits > 0, value_sum / np.maximum(visits, 1), np.float32(self.unvisited))
        # Before the first visit the prior alone decides.
        total = np.sqrt(np.maximum(visits.sum(1, keepdims=True), 1))
        scores: Floats = mean + np.float32(self.c) * prior * total / (1 + visits)
        return scores
