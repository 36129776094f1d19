"""Any table of numbers and words in a CSV file."""

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pytorch_lightning import LightningDataModule
from typing_extensions import override

from datamodules.base.csv_table import CsvTable, NotANumberError, is_missing, read_csv
from datamodules.tables.iris import IrisDataModule
from datamodules.tables.rows import Labels, Numbers, RowDataModule
from dlmodules.errors import UserError

Task = Literal["classification", "regression"]
Missing = Literal["error", "drop", "mean"]
Text = Literal["error", "one_hot"]


class TableDataModule(RowDataModule):
    """The rows of a CSV file: x ``(B, D)`` float32; y ``(B,)`` int64 class indices, or float32 to predict a number.

    The values of the target become classes ``0 .. num_classes - 1`` in sorted order, whole numbers by size and
    anything else by letter; ``class_names`` has them. A cell that is empty, ``?``, ``NA``, ``N/A``, ``NaN`` or
    ``null`` is a missing value. Training, validation and test rows are disjoint, and the test rows are the same
    for every ``seed``.

    Args:
        path: the file, UTF-8, compressed by gzip or not.
        target: name of the column to predict; the last one where None.
        features: names of the columns to predict from; all but the target where None.
        names: names of the columns of a file without a header; None reads them from the first line.
        separator: one character between two cells.
        task: ``classification``, or ``regression`` of a number.
        missing: ``error`` stops at a missing value; ``drop`` leaves out its row; ``mean`` puts the mean of the
            feature's training rows in its place (in a column of words: their fractions).
        text: ``error`` stops at a feature of words; ``one_hot`` makes one column of zeros and ones for each of
            its words, in sorted order.
        **kwargs: of ``RowDataModule``.

    Raises:
        UserError: for an argument out of range, and where the file is missing, empty, ragged, not UTF-8, lacks a
            column, holds one class only, a number that is not finite, or what ``missing`` and ``text`` refuse.
    """

    def __init__(
        self,
        path: str,
        target: str | None = None,
        features: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        separator: str = ",",
        task: Task = "classification",
        missing: Missing = "error",
        text: Text = "error",
        **kwargs: Any,
    ) -> None:
        for name, value, known in (("task", task, Task), ("missing", missing, Missing), ("text", text, Text)):
            if value not in get_args(known):
                raise UserError(f"{name} is {value!r}; it must be one of {', '.join(get_args(known))}")
        super().__init__(**kwargs)
        self.path = os.path.expanduser(path)
        self.target = target
        self.features = features
        self.column_names = names
        self.separator = separator
        self.task = task
        self.missing = missing
        self.text = text

    @property
    @override
    def class_names(self) -> list[str]:
        """The values of the target in the order of their indices; none in a regression."""
        return self._labels[1]

    @property
    @override
    def feature_names(self) -> list[str]:
        """Names of the columns of ``x``; ``column=word`` for those of a column of words."""
        return self._inputs[1]

    @override
    def load(self) -> tuple[Numbers, Labels]:
        return self._inputs[0], self._labels[0]

    @cached_property
    def _columns(self) -> tuple[list[str], str, CsvTable]:
        """The names of the features and of the target, and the rows that are kept."""
        table = read_csv(self.path, self.separator, self.column_names)
        target = table.columns[-1] if self.target is None else self.target
        table.position(target)
        chosen = [name for name in table.columns if name != target] if self.features is None else list(self.features)
        if target in chosen:
            raise UserError(f"the target {target!r} is among the features; take it out")
        if not chosen:
            raise UserError(f"{self.path} has no feature beside the target {target!r}; is separator right?")
        absent = table.missing([*chosen, target])
        incomplete = absent.sum(axis=1) > 0
        if self.missing == "drop":
            table = table.without(incomplete)
            if not table.cells:
                raise UserError(f"each row of {self.path} lacks a value, so missing: drop leaves none")
        elif self.missing == "error" and incomplete.any():
            row, column = np.argwhere(absent)[0]
            place = table.place(row, [*chosen, target][column])
            raise UserError(f"{place}: no value; set missing to drop its row or, for a feature, to mean")
        elif absent[:, -1].any():
            place = table.place(int(np.argmax(absent[:, -1])), target)
            raise UserError(f"{place}: no value of the target, and missing: mean fills features only")
        return chosen, target, table

    @cached_property
    def _inputs(self) -> tuple[Numbers, list[str]]:
        chosen, _, table = self._columns
        parts: list[Numbers] = []
        names: list[str] = []
        for column in chosen:
            try:
                parts.append(table.numbers(column)[:, None])
                names.append(column)
            except NotANumberError as error:
                if self.text == "error":
                    raise UserError(f"{error}; set text to one_hot, or leave the column out of features") from error
                words = sorted({cell for cell in table.column(column) if not is_missing(cell)})
                parts.append(_one_hot(table.column(column), words))
                names += [f"{column}={word}" for word in words]
        return np.concatenate(parts, axis=1), names

    @cached_property
    def _labels(self) -> tuple[Labels, list[str]]:
        _, target, table = self._columns
        if self.task == "regression":
            return table.numbers(target), []
        labels, names = _classes(table, target)
        if len(names) < 2:
            raise UserError(
                f"the target {target!r} of {self.path} is {names[0]!r} in every row; two classes are needed"
            )
        return labels, names

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give irises."""
        return IrisDataModule


def _one_hot(cells: Sequence[str], words: Sequence[str]) -> Numbers:
    """Return ``(N, len(words))``: 1 in the column of a cell's word, 0 elsewhere, NaN where the cell is missing."""
    found = np.zeros((len(cells), len(words)))
    index = {word: position for position, word in enumerate(words)}
    for row, cell in enumerate(cells):
        if cell in index:
            found[row, index[cell]] = 1.0
        else:
            found[row] = np.nan
    return found


def _classes(table: CsvTable, target: str) -> tuple[NDArray[np.int64], list[str]]:
    """Return class indices ``(N,)`` and the names of the classes in sorted order."""
    try:
        values = table.numbers(target)
    except NotANumberError:
        cells = table.column(target)
        names = sorted(set(cells))
        index = {name: position for position, name in enumerate(names)}
        return np.array([index[cell] for cell in cells], dtype=np.int64), names
    fractions = values != np.rint(values)
    if fractions.any():
        row = int(np.argmax(fractions))
        raise UserError(f"{table.place(row, target)}: {values[row]:g} is no class; set task to regression")
    distinct, labels = np.unique(values, return_inverse=True)
    return labels.astype(np.int64).reshape(-1), [str(int(value)) for value in distinct]
