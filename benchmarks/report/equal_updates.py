"""FID of runs of different lengths, after as many updates and by the same protocol."""

from collections.abc import Sequence

from benchmarks.report.cells import NOT_YET, NOTHING, budget_of, mean_and_deviation, table
from benchmarks.report.standing import Found
from benchmarks.row import Row

Point = Sequence[float]

HEAD = ("variant", "row", "seeds", "updates", "FID of validation", "the whole run")


def equal_updates(rows: Sequence[Row], found: Found) -> str:
    """Return a table of each row's FID at the validation nearest to the end of the shortest run."""
    curves = {row.name: [record.details["fid"] for record in found[row.name]] for row in rows}
    ends = [curve[-1][0] for runs in curves.values() for curve in runs]
    lines = []
    for row in rows:
        points = [nearest(curve, min(ends)) for curve in curves[row.name]]
        updates = ", ".join(f"{at:,.0f}" for at in sorted({at for at, _ in points})) or NOTHING
        budget = budget_of(row, found[row.name])
        fid = mean_and_deviation([value for _, value in points], 1) if points else NOT_YET
        lines.append((row.title, f"`{row.name}`", str(len(points)), updates, fid, budget))
    return table(HEAD, lines)


def nearest(curve: Sequence[Point], updates: float) -> tuple[float, float]:
    """Return the point of a curve that is nearest to so many updates."""
    at, value = min(curve, key=lambda point: abs(point[0] - updates))
    return at, value
