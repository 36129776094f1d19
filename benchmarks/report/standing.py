"""The headline of each system: one row and one figure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.record import Record
from benchmarks.report.cells import ENOUGH, State, state
from benchmarks.row import Figure, Row
from dlmodules.errors import UserError

Found = Mapping[str, Sequence[Record]]


@dataclass(frozen=True)
class Standing:
    """A system's headline, with its records, and how it stands to its bar."""

    row: Row
    figure: Figure
    records: Sequence[Record]
    state: State


def by_row(records: Iterable[Record], rows: Iterable[Row]) -> dict[str, list[Record]]:
    """Return the records of each row, by seed. Raises UserError for a record of an unknown row."""
    found: dict[str, list[Record]] = {row.name: [] for row in rows}
    for record in records:
        if record.name not in found:
            raise UserError(f"there is a record of {record.name}, which is no row of benchmarks/rows: delete it")
        found[record.name].append(record)
    for of_row in found.values():
        of_row.sort(key=lambda record: record.seed)
    return found


def headline(row: Row) -> Figure:
    """Return the figure that stands for a row: the first with a bar, or else the first that is not of the training."""
    held_out = [figure for figure in row.figures if not figure.key.startswith("train/")]
    return next((figure for figure in row.figures if figure.bar is not None), (held_out or row.figures)[0])


def standing(rows: Sequence[Row], found: Found) -> Standing | None:
    """Return the headline of a system's ``rows``; None where it has no scores.

    It is the row that says so; else, of those that have enough seeds, or any, the first with a bar, scores before
    tables of variants.
    """
    scored = [row for row in rows if row.figures]
    if not scored:
        return None

    def rank(row: Row) -> tuple[bool, bool, bool, bool, bool]:
        runs = len(found[row.name])
        figure = headline(row)
        return (not row.headline, runs < ENOUGH, runs == 0, figure.bar is None, row.kind != "score")

    row = min(scored, key=rank)
    figure = headline(row)
    return Standing(row, figure, found[row.name], state(figure, found[row.name]))
