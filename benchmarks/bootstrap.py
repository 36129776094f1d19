"""Confidence intervals by the bootstrap, and the interquartile mean, which agents are compared by."""

import random
import statistics
from collections.abc import Callable, Sequence

RESAMPLES = 10_000
LEVEL = 0.95


def interval(
    values: Sequence[float],
    statistic: Callable[[Sequence[float]], float] = statistics.median,
    resamples: int = RESAMPLES,
) -> tuple[float, float]:
    """Return the confidence interval of a ``statistic`` of ``values``: the bootstrap's percentiles, always the same."""
    draw = random.Random(0)
    found = sorted(statistic(draw.choices(values, k=len(values))) for _ in range(resamples))
    outside = round((1 - LEVEL) / 2 * resamples)
    return found[outside], found[-1 - outside]


def interquartile_mean(values: Sequence[float]) -> float:
    """Return the mean of the middle half of ``values``, whose outermost ones count by the part that is in it."""
    ordered = sorted(values)
    size = len(ordered)
    low, high = size / 4, 3 * size / 4
    weights = [max(0.0, min(place + 1, high) - max(place, low)) for place in range(size)]
    return sum(weight * value for weight, value in zip(weights, ordered, strict=True)) / (high - low)
