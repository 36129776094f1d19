"""Two sides measured in turn, and what the pairs decide: a bar is met, missed or undecided."""

import statistics
from collections.abc import Callable, Sequence
from typing import Literal

from benchmarks.bootstrap import interval

# With fewer, the interval says little: of six pairs it is nearly that from the least to the largest.
PAIRS = 10
Verdict = Literal["met", "missed", "undecided"]
Judged = Literal["ratio", "difference", "ours"]


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


def summary(pairs: Sequence[tuple[float, float]], judged: Judged = "ratio") -> dict[str, float]:
    """Return what a record says of the pairs' ratios, of their differences, or of our side alone.

    ``value`` is their median, ``low`` and ``high`` the ends of its interval, ``min`` and ``max`` the least and the
    largest; ``ours`` and ``other`` are the medians of the sides.
    """
    of_pair: Callable[[float, float], float] = {
        "ratio": lambda ours, other: ours / other,
        "difference": lambda ours, other: ours - other,
        "ours": lambda ours, other: ours,
    }[judged]
    values = [of_pair(*pair) for pair in pairs]
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
