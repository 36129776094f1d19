"""Under ``DLMODULES_NO_SKIPS=1``, as in CI, a test that is skipped fails, unless its reason is listed here.

So nothing that a claim rests on goes unseen because a package, a browser or a data set is missing.
"""

import os
from collections.abc import Generator
from typing import Any

import pytest

ALLOWED = {
    "no network, no gradient": "the system counts its rows; there is nothing that a gradient could flow through",
    "an agent makes its own batches; its learning test stands for this": "there is no batch to repeat",
    "it does not descend a loss; its learning test stands for this": "there is no loss that must fall",
    "this machine has a GPU": "it asks what happens where there is none",
}
"""Reason of a skip: why it may be."""

NEEDS_DATA = "in $DLMODULES_DATA"
"""How reasons end that name missing data sets. They are allowed where the variable names no folder at all."""


def is_allowed(reason: str) -> bool:
    """Return whether a test may be skipped for ``reason``."""
    return reason in ALLOWED or (reason.endswith(NEEDS_DATA) and not os.environ.get("DLMODULES_DATA"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    report = yield
    return _without_skip(report)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    report = yield
    return _without_skip(report)


def _without_skip(report: Any) -> Any:
    """Turn a skip that is not allowed into a failure. An expected failure is no skip."""
    if os.environ.get("DLMODULES_NO_SKIPS") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not is_allowed(reason):
            report.outcome = "failed"
            report.longrepr = f"skipped, which tests/no_skips.py does not allow: {reason}"
    return report
