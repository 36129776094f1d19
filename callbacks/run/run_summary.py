"""What the W&B summary of a run holds: the best of each validation metric, the last of any other."""

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from callbacks.run.directions import Direction, direction_of

STEP = "trainer/global_step"
"""The metric that is the x-axis of all others."""


class RunSummary:
    """The summary of a run that several processes log to: a fit, its resumes, a test of its checkpoint.

    W&B computes the best value of what one process logs, and the summary of the last process replaces the others'. So
    each has to repeat what was before it, which it finds in ``metrics.csv``.

    Args:
        file: the run's ``metrics.csv``; it need not be there.
    """

    def __init__(self, file: Path) -> None:
        self._values: dict[str, float] = {}
        for row in _rows(file):
            self._take(row)
        self.continued = bool(self._values)

    def so_far(self) -> dict[str, Any]:
        """Return what the summary held before this process: plain values and ``{"min": value}`` or ``{"max": ...}``."""
        return {name: self._entry(name) for name in self._values}

    def after(self, metrics: Mapping[str, Any], step: int | None) -> dict[str, Any]:
        """Take what is logged, and return what W&B does not know of it: empty in the first process of a run."""
        self._take({**metrics, STEP: step})
        if not self.continued:
            return {}
        # A test starts to count at 0; the run stays where its training ended.
        ours = {STEP, "epoch", *filter(direction_of, metrics)}
        return {name: self._entry(name) for name in self._values if name in ours}

    def _take(self, metrics: Mapping[str, Any]) -> None:
        for name, value in metrics.items():
            if not isinstance(value, (int, float)) or math.isnan(value):
                continue
            before = self._values.get(name)
            way: Direction | None = "max" if name in (STEP, "epoch") else direction_of(name)
            if before is None or way is None or (value < before if way == "min" else value > before):
                self._values[name] = value

    def _entry(self, name: str) -> Any:
        way = direction_of(name)
        return self._values[name] if way is None else {way: self._values[name]}


def _rows(file: Path) -> list[dict[str, float]]:
    """Return the rows of a ``metrics.csv``, without empty cells; its step is the x-axis."""
    if not file.is_file():
        return []
    with open(file, newline="") as opened:
        return [
            {STEP if name == "step" else name: float(value) for name, value in row.items() if name and value}
            for row in csv.DictReader(opened)
        ]
