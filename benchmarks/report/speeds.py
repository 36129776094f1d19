"""Speeds and memory of the two sides of each comparison."""

from collections.abc import Sequence

from benchmarks.pairs import PAIRS, verdict
from benchmarks.record import Record
from benchmarks.report.cells import NOT_YET, NOTHING, State, strong, table
from benchmarks.report.standing import Found
from benchmarks.row import Row

JUDGED = """\
A verdict is that of the 95 % confidence interval of the median ratio, difference or speed of ten pairs, which is in \
parentheses: **met** or **missed** where all of it is on one side of the bar, **undecided** where it spans the bar. \
The pairs are processor seconds of one thread. What was measured by the clock on the wall, or with fewer pairs, is \
**not judged**; its parentheses hold the least and the largest.
"""


def speed_state(row: Row, records: Sequence[Record]) -> State:
    """Return how a speed stands to its bar: by the interval of its pairs; what has no pairs is a single run."""
    if not records:
        return "none"
    record = records[-1]
    if "min" not in record.metrics:
        return "single run"
    if record.details.get("clock") != "processor" or len(record.details["pairs"]) < PAIRS:
        return "not judged"
    return verdict(record.metrics["low"], record.metrics["high"], row.bar)


def speed_table(rows: Sequence[Row], found: Found) -> str:
    """Return the table of speeds and memory."""
    lines = []
    for row in rows:
        sign, limit = row.bar
        bar = f"{'≤' if sign == '<=' else '≥'} {limit:,g} {row.unit}"
        if not found[row.name]:
            lines.append((row.title, f"`{row.name}`", NOT_YET, bar, NOTHING, NOTHING))
            continue
        metrics = found[row.name][-1].metrics
        measured = f"{_number(metrics['value'])} {row.unit}"
        for low, high in (("low", "high"), ("min", "max")):  # the latter of an earlier day
            if low in metrics:
                measured += f" ({_number(metrics[low])} .. {_number(metrics[high])})"
                break
        if "wall_value" in metrics:
            measured += f"; by the clock {metrics['wall_value']:.2f} {row.unit}"
        ours = row.ours.format(metrics["ours"]) if row.ours else NOTHING
        other = row.other.format(metrics["other"]) if row.other else NOTHING
        verdict = strong(speed_state(row, found[row.name]))
        lines.append((row.title, f"`{row.name}`", measured, f"{bar}: {verdict}", ours, other))
    return table(("what", "row", "measured", "bar", "ours", "the other"), lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.2f}"
