"""Verdicts on synthetic pairs: what noise decides is undecided."""

import random
from collections import Counter

import pytest

from benchmarks.bootstrap import interval
from benchmarks.pairs import PAIRS, compare, summary, verdict


def test_the_two_sides_are_measured_in_turn_each_first_in_every_second_pair():
    order = []

    def side(name, value):
        return lambda: order.append(name) or value

    assert compare(side("ours", 1.0), side("other", 2.0), 3) == [(1.0, 2.0)] * 3
    assert order == ["ours", "other", "other", "ours", "ours", "other"]


def test_the_summary_is_of_the_pairs_ratios_not_of_the_medians():
    pairs = [(1.0, 1.0), (6.0, 2.0), (2.0, 4.0)]  # ratios 1, 3, 0.5; medians 2 and 2
    found = summary(pairs)
    assert (found.pop("low"), found.pop("high")) == interval([1.0, 3.0, 0.5])
    assert found == {"value": 1.0, "min": 0.5, "max": 3.0, "ours": 2.0, "other": 2.0}
    assert summary(pairs, judged="difference")["value"] == 0.0  # of 0, 4, -2
    ours = summary(pairs, judged="ours")
    assert (ours["value"], ours["low"], ours["high"]) == (2.0, *interval([1.0, 6.0, 2.0]))


@pytest.mark.parametrize(
    ("low", "high", "at_most", "at_least"),
    [
        (0.8, 0.9, "met", "missed"),
        (0.8, 1.0, "met", "undecided"),
        (0.9, 1.1, "undecided", "undecided"),
        (1.0, 1.1, "undecided", "met"),
        (1.1, 1.2, "missed", "met"),
    ],
)
def test_an_interval_across_the_bar_is_undecided(low, high, at_most, at_least):
    assert verdict(low, high, ("<=", 1.0)) == at_most
    assert verdict(low, high, (">=", 1.0)) == at_least


def test_the_interval_is_the_same_each_time_and_leaves_an_outlier_out():
    values = [1.0, 1.01, 0.99, 1.02, 0.98, 1.0, 1.01, 0.99, 1.0, 7.0]
    assert interval(values) == interval(values)
    low, high = interval(values)
    assert 0.98 <= low <= 1.0 <= high <= 1.02
    assert interval([2.0] * PAIRS) == (2.0, 2.0)


def noisy(ratio, seed, spread=0.1):
    """Ten pairs whose true ratio is ``ratio``, each side off by some tenth."""
    draw = random.Random(seed)
    return [(ratio * draw.lognormvariate(0, spread), draw.lognormvariate(0, spread)) for _ in range(PAIRS)]


@pytest.mark.parametrize(("bar", "wrong"), [(("<=", 0.95), "met"), ((">=", 1.05), "met"), (("<=", 1.05), "missed")])
def test_noise_alone_decides_nothing(bar, wrong):
    """The true ratio is 1.0: a verdict by the median alone would be wrong in every fifth case."""
    found, by_median = Counter(), 0
    for seed in range(100):
        summed = summary(noisy(1.0, seed))
        found[verdict(summed["low"], summed["high"], bar)] += 1
        by_median += verdict(summed["value"], summed["value"], bar) == wrong
    assert found[wrong] <= 2
    assert found["undecided"] >= 50
    assert by_median >= 10


def test_a_true_difference_is_seen_through_the_noise():
    for seed in range(10):
        summed = summary(noisy(0.6, seed))
        assert verdict(summed["low"], summed["high"], ("<=", 0.95)) == "met"
        assert verdict(summed["low"], summed["high"], (">=", 0.95)) == "missed"
