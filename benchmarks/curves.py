"""Curves over a training as pairs of updates and value, and how far one of them tells another."""

import math
from collections.abc import Sequence
from itertools import pairwise

from scipy.stats import spearmanr

Curve = Sequence[Sequence[float]]
"""Pairs of the updates so far and the value then, in order."""

FEWEST = 3  # pairs for a rank correlation


def paired(first: Curve, second: Curve) -> tuple[list[float], list[float]]:
    """Return the values of two curves at the updates that both have."""
    other = {point[0]: point[1] for point in second}
    both = [(value, other[updates]) for updates, value in first if updates in other]
    return [one for one, _ in both], [two for _, two in both]


def changes(values: Sequence[float]) -> list[float]:
    """Return by how much each value differs from the one before."""
    return [after - before for before, after in pairwise(values)]


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Spearman's rank correlation, in [-1, 1]; None of fewer than 3 pairs, or where one side does not vary."""
    if len(first) < FEWEST or min(len(set(first)), len(set(second))) < 2:
        return None
    found = float(spearmanr(first, second).statistic)
    return found if math.isfinite(found) else None
