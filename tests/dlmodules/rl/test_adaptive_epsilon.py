"""The lab's rule against the six logs that its report prints (lab L3)."""

import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.rl.exploration import AdaptiveEpsilon

# Percentage of good episodes at each check, every 1,000 episodes; and epsilon where a check changed it, as printed.
LOGS = {
    "better": ([0, 0, 0, 0, 10, 12, 16, 11, 13, 13], {2: "0.15"}),
    "worst": ([0, 0, 5, 8, 2, 4, 29, 44, 48, 3], {2: "0.15", 7: "0.07", 8: "0.04", 9: "0.02", 10: "0.04"}),
    "third": ([0, 0, 0, 0, 0, 4, 13, 9, 9, 2], {2: "0.15"}),
    "not learning": ([0] * 10, {2: "0.15"}),
    "quite good": ([0, 0, 0, 2, 7, 18, 26, 33, 34, 34], {2: "0.15", 6: "0.07", 7: "0.04", 8: "0.02"}),
    "even better": ([0, 0, 0, 0, 6, 15, 22, 27, 38, 76], {2: "0.15", 7: "0.07", 8: "0.04", 9: "0.02"}),
}


def episodes(percent: int) -> list[float]:
    """A thousand returns, so many percent of them good: 180 or more."""
    good = 10 * percent
    return [180.0] * good + [179.0] * (1_000 - good)


@pytest.mark.parametrize("log", LOGS)
def test_the_printed_scores_give_the_printed_epsilons(log: str) -> None:
    percentages, printed = LOGS[log]
    epsilon, changes = AdaptiveEpsilon(), {}
    for check, percent in enumerate(percentages, 1):
        before = epsilon.value(0, 0)
        epsilon.end_episodes(episodes(percent))
        if epsilon.value(0, 0) != before:
            changes[check] = f"{epsilon.value(0, 0):.2f}"
    assert changes == printed


def test_more_than_166_of_a_thousand_must_be_good() -> None:
    for good, expected in ((166, 0.15), (167, 0.05)):
        epsilon = AdaptiveEpsilon()
        for _ in range(2):  # the first check changes nothing
            assert epsilon.value(0, 0) == 0.1
            epsilon.end_episodes([200.0] * good + [10.0] * (1_000 - good))
        assert epsilon.value(0, 0) == expected


def test_episodes_are_counted_one_by_one_and_across_a_checkpoint() -> None:
    epsilon, resumed = AdaptiveEpsilon(), AdaptiveEpsilon()
    for value in episodes(0) + episodes(50)[:300]:
        epsilon.end_episodes([value])
    resumed.load_state_dict(epsilon.state_dict())
    for module in (epsilon, resumed):
        for value in episodes(50)[300:]:
            module.end_episodes([value])
        assert module.value(0, 0) == 0.05
    assert torch.equal(epsilon.checks, resumed.checks)


@pytest.mark.parametrize("arguments", [{"low": -0.1}, {"high": 1.5}, {"every": 0}, {"start": 2.0}])
def test_arguments_are_checked(arguments: dict[str, float]) -> None:
    with pytest.raises(UserError):
        AdaptiveEpsilon(**arguments)
