"""Speeds and memory of the two sides of each comparison."""

from collections.abc import Sequence

from benchmarks.record import Record
from benchmarks.report.cells import ENOUGH, NOT_YET, NOTHING, State, strong, table
from benchmarks.report.standing import Found
from benchmarks.row import Row


def speed_state(row: Row, records: Sequence[Record]) -> State:
    """Return how a speed stands to its bar, by the median of its pairs; a measurement without pairs is a single run."""
    if not records:
        return "none"
    record = records[-1]
    if "min" not in record.metrics or len(record.details.get("pairs", range(ENOUGH))) < ENOUGH:
        return "single run"
    sign, limit = row.bar
    value = record.metrics["value"]
    return "met" if (value <= limit if sign == "<=" else value >= limit) else "missed"


def speed_table(rows: Sequence[Row], found: Found) -> str:
    """Return the table of speeds and memory."""
    lines = []
    for row in rows:
        sign, limit = row.bar
        bar = f"{'≤' if sign == '<=' else '≥'} {limit:g} {row.unit}"
        if not found[row.name]:
            lines.append((row.title, f"`{row.name}`", NOT_YET, bar, NOTHING, NOTHING))
            continue
        metrics = found[row.name][-1].metrics
        measured = f"{metrics['value']:.2f} {row.unit}"
        if "min" in metrics:
            measured += f" ({metrics['min']:.2f} .. {metrics['max']:.2f})"
        ours = row.ours.format(metrics["ours"]) if row.ours else NOTHING
        other = row.other.format(metrics["other"]) if row.other else NOTHING
        verdict = strong(speed_state(row, found[row.name]))
        lines.append((row.title, f"`{row.name}`", measured, f"{bar}: {verdict}", ours, other))
    return table(("what", "row", "measured", "bar", "ours", "the other"), lines)
