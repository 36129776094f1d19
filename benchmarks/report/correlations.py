"""Whether the loss of a GAN tells how good its samples are, or only that time passes."""

from collections.abc import Callable, Sequence

from benchmarks.curves import changes, paired, rank_correlation
from benchmarks.record import Record
from benchmarks.report.cells import NOT_YET, NOTHING, mean_and_deviation, table
from benchmarks.report.standing import Found
from benchmarks.row import Row

Correlation = Callable[[Sequence[float], Sequence[float]], float | None]

# Each compares the watched loss and FID at the validations; the number of the validation stands for the step number.
COLUMNS: dict[str, Correlation] = {
    "loss and FID": rank_correlation,
    "step number and FID": lambda _, fid: rank_correlation(range(len(fid)), fid),
    "change of loss and change of FID": lambda loss, fid: rank_correlation(changes(loss), changes(fid)),
    "step number and change of FID": lambda _, fid: rank_correlation(range(len(fid) - 1), changes(fid)),
}


def correlations(rows: Sequence[Row], found: Found) -> str:
    """Return the table of rank correlations of levels and of changes between validations, a row a GAN."""
    lines = []
    for row in rows:
        curves = [watched_and_fid(record) for record in found[row.name]]
        validations = sorted({len(fid) for _, fid in curves})
        counts = [str(len(curves)), ", ".join(map(str, validations)) or NOTHING]
        cells = [cell([compare(*pair) for pair in curves]) for compare in COLUMNS.values()]
        lines.append([row.title, *counts, *cells])
    return table(("variant", "seeds", "validations", *COLUMNS), lines)


def watched_and_fid(record: Record) -> tuple[list[float], list[float]]:
    """Return the watched loss and FID at the validations that have both."""
    return paired(record.details.get("watched_loss", []), record.details.get("fid", []))


def cell(values: Sequence[float | None]) -> str:
    """Return mean and deviation over the seeds, of those where there is a correlation."""
    if not values:
        return NOT_YET
    numbers = [value for value in values if value is not None]
    return mean_and_deviation(numbers, 2) if numbers else NOTHING
