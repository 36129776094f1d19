"""The ladder's order, and its clock in processor seconds."""

from collections import Counter
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from statistics import mean
from time import process_time

import pytest
import torch
from torch.nn import functional as F

from dlmodules.compat import bolts
from tests.systems.cases import FIRST, Case

LADDER = "test_ladder.py"
REFERENCE = 0.014  # seconds of ``standard_work`` where the budget was set: one thread of an AMD EPYC
TOLERANCE = 1.25  # what else runs takes caches too, which so little work does not feel
WORTH_A_MEASUREMENT = 0.2  # seconds: half of the tests need less than the measurement of the processor's speed
spent: Counter[Case] = Counter()
speeds: dict[Case, list[float]] = {}


def case_of(item: pytest.Item) -> Case | None:
    """Return the system and configuration that a test of the ladder is of; None for any other test."""
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("case") if callspec is not None and item.path.name == LADDER else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of a system side by side, so that those that share a run are in one process."""
    places = [place for place, item in enumerate(items) if case_of(item)]
    by_system = sorted((items[place] for place in places), key=lambda item: case_of(item).name)
    for place, item in zip(places, by_system, strict=True):
        items[place] = item


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item):
    """Count the processor seconds of a test for its system, whatever else the machine does meanwhile."""
    began = process_time()
    try:
        return (yield)
    finally:
        if (case := case_of(item)) is not None:
            seconds = process_time() - began
            spent[case] += seconds
            if seconds > WORTH_A_MEASUREMENT:
                speeds.setdefault(case, []).append(standard_work())


@pytest.fixture(scope="session")
def imported(tmp_path_factory):
    """All that a run and its checks import, so that no system's clock runs meanwhile."""
    FIRST[0].fit(tmp_path_factory.mktemp("imported"), "--trainer.max_steps", "1")
    if find_spec("pl_bolts") is not None:
        bolts.batch_gradient_verification()
    import_module("torchvision.transforms.v2")


@pytest.fixture(scope="session")
def seconds_of():
    """The seconds that the tests of a case have needed so far, as they were on the reference's processor.

    How fast this one is hangs on what else the machine does, so it is measured after each test that takes a while.
    """

    def seconds(case: Case) -> float:
        slowness = mean(speeds.get(case, [REFERENCE])) / REFERENCE
        return spent[case] / (TOLERANCE * max(1.0, slowness))

    return seconds


def standard_work() -> float:
    """Return the seconds of a fixed mixture of what the ladder does: Python, steps of a network, a checkpoint."""
    began = process_time()
    sum({str(number): number for number in range(30_000)}.values())
    images, weight = torch.ones(8, 32, 28, 28), torch.ones(32, 32, 3, 3, requires_grad=True)
    for _ in range(2):
        F.conv2d(images, weight).sum().backward()
    torch.save(torch.zeros(500_000), BytesIO())
    return process_time() - began
