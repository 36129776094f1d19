"""Tables of configurations: one a row, its figures as columns, or the other way round where the figures are many."""

from collections.abc import Sequence

from benchmarks.report.cells import (
    NOT_YET,
    NOTHING,
    bar_and_state,
    budget_of,
    digits_of,
    guess_of,
    mark,
    seconds_of,
    spread,
    table,
    values_of,
)
from benchmarks.report.standing import Found
from benchmarks.row import Figure, Row

MOST_COLUMNS = 8


def score_tables(rows: Sequence[Row], found: Found, numbers: dict[str, int] | None = None) -> str:
    """Return tables of score rows, one for those that have the same figures.

    With ``numbers`` of protocols each row says which is its own.
    """
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(figure.label for figure in row.figures), []).append(row)
    return "\n".join(
        (turned if len(labels) > MOST_COLUMNS else straight)(group, found, numbers) for labels, group in groups.items()
    )


def straight(rows: Sequence[Row], found: Found, numbers: dict[str, int] | None) -> str:
    """Return a table with a configuration a row."""
    timed = any(figure.interquartile for figure in rows[0].figures)
    head = ["system", "row", "seeds", *(figure.label for figure in rows[0].figures), "budget"]
    head += ["processor / wall seconds"] if timed else []
    lines = []
    for row in rows:
        line = [row.system, name_of(row, numbers), str(len(found[row.name]))]
        cells = [figure_cell(figure, row, found) for figure in row.figures]
        seconds = [seconds_of(found[row.name])] if timed else []
        lines.append([*line, *cells, budget_of(row, found[row.name]), *seconds])
    return table(head, lines)


def turned(rows: Sequence[Row], found: Found, numbers: dict[str, int] | None) -> str:
    """Return a table with a configuration a column."""
    lines = [
        ["budget", *(budget_of(row, found[row.name]) for row in rows)],
        ["seeds", *(str(len(found[row.name])) for row in rows)],
    ]
    for place, figure in enumerate(rows[0].figures):
        lines.append([figure.label, *(figure_cell(row.figures[place], row, found) for row in rows)])
    return table(["figure", *(f"{row.system}, {name_of(row, numbers)}" for row in rows)], lines)


def name_of(row: Row, numbers: dict[str, int] | None) -> str:
    """Return the name of a row, with the number of its protocol."""
    return f"`{row.name}`" + (f" [{numbers[row.name]}](#protocols)" if numbers else "")


def figure_cell(figure: Figure, row: Row, found: Found) -> str:
    """Return what was measured, and below it bar, book, anchor and guess where there are some."""
    records = found[row.name]
    parts = [spread(figure, records)]
    parts += [bar_and_state(figure, records)] if figure.bar is not None else []
    parts += [f"book: {figure.book}"] if figure.book.strip(NOTHING) else []
    parts += [f"anchor: {figure.anchor}"] if figure.anchor else []
    guess = guess_of(figure, row, found)
    parts += [f"without learning: {guess}"] if guess != NOTHING else []
    return "<br>".join(parts)


def variants(rows: Sequence[Row], found: Found) -> str:
    """Return a table of variants: our figures, each beside the book's where it has them, and a budget that differs."""
    budgets = {row.name: budget_of(row, found[row.name]) for row in rows}
    differ = len(set(budgets.values())) > 1
    has_book = any(figure.book.strip(NOTHING) for row in rows for figure in row.figures)
    lines = []
    for row in rows:
        line = [row.title, str(len(found[row.name]))]
        for figure in row.figures:
            line.append(variant_cell(figure, row, found))
            line += [figure.book] if has_book else []
        lines.append(line + ([budgets[row.name]] if differ else []))
    head: list[str] = []
    for figure in rows[0].figures:
        head += [f"{figure.label}, ours", f"{figure.label}, book"] if has_book else [figure.label]
    once = "" if differ else f"Each: {budgets[rows[0].name]}.\n\n"
    return once + table(("variant", "seeds", *head, *(["budget"] if differ else [])), lines)


def variant_cell(figure: Figure, row: Row, found: Found) -> str:
    """Return what was measured of a variant, with its bar where it has one."""
    records = found[row.name]
    if not records:
        return NOT_YET
    values = values_of(figure, records)
    if len(values) == 1:  # the column of seeds says that it is one
        cell = f"{values[0]:.{digits_of(figure)}f}" + mark(records)
    else:
        cell = spread(figure, records) if values else NOTHING
    return cell if figure.bar is None else f"{cell}<br>{bar_and_state(figure, records)}"
