"""Two sides measured in turn, and what the pairs decide: a bar is met, missed or undecided."""

import statistics
from collections.abc import Callable, Sequence
from typing import Literal

from benchmarks.bootstrap import interval

# With fewer, the interval says little: of six pairs it is nearly that from the least to the largest.
PAIRS = 10
Verdict = Literal["met", "missed", "undecided"]


def compare(ours: Callable[[], float], other: Callable[[], float], pairs: int) -> list[tuple[float, float]]:
    """Measure both ``pairs`` times in turn, each first in every second pair."""
    found = []
    for number in range(pairs):
        if number % 2 == 0:
            mine = ours()
            found.append((mine, other()))
        else:
            theirs = other()
            found.append((ours(), theirs))
    return found


def summary(pairs: Sequence[tuple[float, float]], difference: bool = False) -> dict[str, float]:
    """Return what a record says of the pairs' ratios, or of their differences.

    ``value`` is their median, ``low`` and ``high`` the ends of its interval, ``min`` and ``max`` the least and the
    largest; ``ours`` and ``other`` are the medians of the sides.
    """
    values = [ours - other if difference else ours / other for ours, other in pairs]
    low, high = interval(values)
    return {
        "value": statistics.median(values),
        "low": low,
        "high": high,
        "min": min(values),
        "max": max(values),
        "ours": statistics.median(ours for ours, _ in pairs),
        "other": statistics.median(other for _, other in pairs),
    }


def verdict(low: float, high: float, bar: tuple[Literal["<=", ">="], float]) -> Verdict:
    """Say how a median between ``low`` and ``high`` stands to ``bar``: it is met or missed by the whole interval."""
    sign, limit = bar
    met, missed = (high <= limit, low > limit) if sign == "<=" else (low >= limit, high < limit)
    return "met" if met else "missed" if missed else "undecided"
