"""Reading of CSV files into columns, with errors that name line and column."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datamodules.base.text_files import read_text
from dlmodules.errors import UserError

MISSING = frozenset(("", "?", "na", "n/a", "nan", "null"))  # in lower case
LARGEST = float(np.finfo(np.float32).max)


class NotANumberError(UserError):
    """A cell that holds text where a number was asked for."""


@dataclass(frozen=True)
class CsvTable:
    """The cells of a CSV file as text.

    Args:
        path: the file.
        columns: names of the columns, all different.
        cells: the rows, each as long as ``columns``.
        lines: the line of the file, from 1, on which each row ends.
    """

    path: str
    columns: list[str]
    cells: list[list[str]]
    lines: list[int]

    def position(self, column: str) -> int:
        """Return the position of a column, or raise the UserError that there is none of that name."""
        if column not in self.columns:
            raise UserError(f"{self.path} has no column {column!r}; it has: {', '.join(self.columns)}")
        return self.columns.index(column)

    def column(self, column: str) -> list[str]:
        """Return the cells of a column."""
        position = self.position(column)
        return [row[position] for row in self.cells]

    def place(self, row: int, column: str) -> str:
        """Return the words that lead a person to a cell."""
        return f"{self.path}, line {self.lines[row]}, column {column!r}"

    def missing(self, columns: Sequence[str]) -> NDArray[np.bool_]:
        """Return where a value is missing, ``(N, len(columns))``."""
        positions = [self.position(column) for column in columns]
        return np.array([[is_missing(row[position]) for position in positions] for row in self.cells])

    def without(self, rows: NDArray[np.bool_]) -> "CsvTable":
        """Return the table without some rows, given as a mask ``(N,)``."""
        kept = np.flatnonzero(~rows)
        return CsvTable(self.path, self.columns, [self.cells[i] for i in kept], [self.lines[i] for i in kept])

    def numbers(self, column: str) -> NDArray[np.float64]:
        """Return a column as numbers ``(N,)``, NaN where missing.

        Raises:
            NotANumberError: a cell is text.
            UserError: a number is infinite, or too large for float32.
        """
        found = np.empty(len(self.cells))
        for row, cell in enumerate(self.column(column)):
            try:
                found[row] = math.nan if is_missing(cell) else float(cell)
            except ValueError as error:
                raise NotANumberError(f"{self.place(row, column)}: {cell!r} is no number") from error
            if abs(found[row]) > LARGEST:
                raise UserError(
                    f"{self.place(row, column)}: {cell} is not finite in 32 bits; mend it or empty the cell"
                )
        return found


def is_missing(cell: str) -> bool:
    """Whether a cell stands for a value that is missing."""
    return cell.lower() in MISSING


def read_csv(path: str, separator: str = ",", names: Sequence[str] | None = None) -> CsvTable:
    """Read a CSV file. Spaces around cells and empty lines are left out.

    Args:
        path: the file, UTF-8, with or without a byte order mark, compressed by gzip or not.
        separator: one character between two cells.
        names: names of the columns of a file without a header; None reads them from the first line.

    Raises:
        UserError: missing, unreadable, damaged or empty file, text that is not UTF-8, broken quotes, ragged rows, or
            column names that are not all different.
    """
    if len(separator) != 1:
        raise UserError(f"separator is {separator!r}; it must be one character")
    rows: list[list[str]] = []
    lines: list[int] = []
    file = io.StringIO(read_text(path), newline="")
    reader = csv.reader(file, delimiter=separator, skipinitialspace=not separator.isspace(), strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append([cell.strip() for cell in row])
                lines.append(reader.line_num)
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num}: {error}") from error
    columns = list(names) if names is not None else _header(path, rows)
    first = 0 if names is not None else 1
    rows, lines = rows[first:], lines[first:]
    if not rows:
        raise UserError(f"{path} has no rows")
    if len(set(columns)) < len(columns):
        double = next(name for name in columns if columns.count(name) > 1)
        raise UserError(f"{path} has two columns {double!r}; give each a name of its own")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(columns):
            raise UserError(f"{path}, line {line}: {len(row)} cells for {len(columns)} columns")
    return CsvTable(path, columns, rows, lines)


def _header(path: str, rows: list[list[str]]) -> list[str]:
    if not rows:
        raise UserError(f"{path} is empty")
    for cell in rows[0]:
        if _is_fraction(cell):  # a whole number may be a name
            raise UserError(f"the first line of {path} holds the number {cell}, so it is no header: set names")
    return rows[0]


def _is_fraction(cell: str) -> bool:
    try:
        return not float(cell).is_integer() and math.isfinite(float(cell))
    except ValueError:
        return False
