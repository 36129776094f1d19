"""Curves over a training as pairs of updates and value, and how far one of them tells another."""

import math
from collections.abc import Sequence
from itertools import pairwise

from scipy.stats import spearmanr

from benchmarks.record import Record
from benchmarks.row import Row

Curve = Sequence[Sequence[float]]
"""Pairs of the updates so far and the value then, in order."""

FEWEST = 3  # pairs for a rank correlation
HELD_OUT_RETURN = "val/return"  # the detail of an agent's record that is its run's curve
_RETURNS = ("test/return@last", "test/exact_return@last")  # the figures that such a curve leads to
SEEDS = 2  # at least, of the curves over seeds


def curves_of(row: Row, records: Sequence[Record]) -> list[Curve]:
    """Return the curves of held-out returns in the records of ``row``, one for each seed; none of fewer than two.

    Where a row's figures are no returns, its agent judges a policy that stays as it is: its returns say nothing.
    """
    if not any(figure.key in _RETURNS for figure in row.figures):
        return []
    found = [record.details[HELD_OUT_RETURN] for record in records if HELD_OUT_RETURN in record.details]
    return found if len(found) >= SEEDS else []


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
