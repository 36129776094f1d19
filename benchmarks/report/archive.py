"""benchmarks/results.csv: every metric of every record."""

import csv
import io
import re
from collections.abc import Sequence

from benchmarks.record import Record
from benchmarks.report.standing import Found
from benchmarks.row import Row

HEAD = (
    *("kind", "row", "system", "config", "seed", "metric", "value", "unit"),
    *("steps", "wall_seconds", "date", "commit", "processor", "threads", "gpu"),
)
# The unit of a metric by what its name contains; the first that fits.
UNITS = (
    (r"accuracy|precision|recall|coverage|impossible|changed_|class_kept|features", "fraction"),
    (r"elbo|nll|/kl|log_likelihood|pseudo_likelihood", "nats"),
    (r"psnr", "dB"),
    (r"update_ms", "ms"),
    (r"peak_gib", "GiB"),
    (r"episodes", "episodes"),
    (r"/(slant|width|ink)$", "standard deviations"),
)


def unit(metric: str, row: Row) -> str:
    """Return the unit of a metric, empty where it has none."""
    if row.kind in ("speed", "memory"):
        return row.unit if metric in ("value", "min", "max") else ""
    return next((name for pattern, name in UNITS if re.search(pattern, metric)), "")


def archive(rows: Sequence[Row], found: Found) -> str:
    """Return the table of all records, a metric a line."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEAD)
    for row in rows:
        for record in found[row.name]:
            writer.writerows(lines(row, record))
    return text.getvalue()


def lines(row: Row, record: Record) -> list[tuple[object, ...]]:
    """Return the lines of a record."""
    machine = record.hardware
    what = (record.kind, record.name, record.system, record.config or "", record.seed)
    how = (record.steps, record.wall_seconds, record.date, record.commit)
    where = (machine["cpu"], machine["threads"], machine.get("gpu", ""))
    return [(*what, metric, value, unit(metric, row), *how, *where) for metric, value in record.metrics.items()]
