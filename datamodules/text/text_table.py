"""Labelled texts in a CSV file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from typing_extensions import override

from datamodules.base.csv_table import read_csv
from datamodules.base.in_memory import count_of, permutation
from datamodules.text.labels import labels_of, sorted_labels
from datamodules.text.text import TextDataModule
from datamodules.text.toy_sentiment import ToySentimentDataModule
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_amounts


class TextTable(NamedTuple):
    """The rows of a file: texts, labels as they are written, and where each row is."""

    texts: list[str]
    labels: list[str]
    places: list[str]


def read_texts(path: Path, text_column: str = "text", label_column: str = "label") -> TextTable:
    """Read two columns of a CSV file, which may be compressed by gzip, with names of columns in its first line.

    Raises:
        UserError: where ``read_csv`` does, and where a column is missing or a row has no label.
    """
    table = read_csv(str(path))
    texts, labels = table.column(text_column), table.column(label_column)
    places = [f"{path}, line {line}" for line in table.lines]
    for label, place in zip(labels, places, strict=True):
        if not label:
            raise UserError(f"{place}: the row has no {label_column}")
    return TextTable(texts, labels, places)


class TextTableDataModule(TextDataModule):
    """Anyone's own labelled texts: a CSV file with a column of texts and one of labels, compressed or not.

    A label is the name of a class or its index. The test texts are those of ``test_file``, or a fraction of the
    others, the same for every ``seed``.

    Args:
        file: CSV file in UTF-8 whose first line names its columns; compressed by gzip or not.
        text_column: name of the column of texts.
        label_column: name of the column of labels.
        class_names: names of the classes in the order of their indices; where None, the labels that are found,
            sorted, as numbers where all of them are.
        test_file: file of the test texts, with the same columns; None takes them from ``file``.
        test_size: test texts taken from ``file``: a number of them, or a fraction in (0, 1); 0 for none.
        **kwargs: of ``TextDataModule``.

    Raises:
        UserError: for a number out of range, a file that cannot be read, and a label that is no class.
    """

    def __init__(
        self,
        file: str,
        text_column: str = "text",
        label_column: str = "label",
        class_names: Sequence[str] | None = None,
        test_file: str | None = None,
        test_size: int | float = 0.1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.file = Path(file).expanduser()
        self.test_file = None if test_file is None else Path(test_file).expanduser()
        self.text_column = text_column
        self.label_column = label_column
        check_amounts(self.unit, test_size=test_size)
        self.test_size = test_size
        self._class_names = None if class_names is None else list(class_names)

    @property
    @override
    def class_names(self) -> list[str]:
        """Names of the classes; the file is read for them where they are not known yet."""
        if self._class_names is None:
            self._class_names = sorted_labels(self._read(self.file).labels)
        return self._class_names

    def _read(self, file: Path) -> TextTable:
        return read_texts(file, self.text_column, self.label_column)

    @override
    def load(self, train: bool) -> tuple[list[str], Tensor]:
        file = self.file if train or self.test_file is None else self.test_file
        table = self._read(file)
        if self._class_names is None and file == self.file:
            self._class_names = sorted_labels(table.labels)
        labels = labels_of(self.class_names, table.labels, table.places)
        if self.test_file is not None:
            return table.texts, labels
        return split_test(table.texts, labels, self.test_size, train)

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give made-up opinions."""
        return ToySentimentDataModule


def split_test(texts: list[str], labels: Tensor, test_size: int | float, train: bool) -> tuple[list[str], Tensor]:
    """Return the texts that are, or are not, for the test, in their order; the same ones for every seed."""
    n_test = count_of(len(texts), test_size)
    if n_test >= len(texts):
        raise UserError(f"test_size={test_size} leaves none of the {len(texts)} texts to train on")
    order = permutation(len(texts), seed=0)
    rows = torch.sort(order[n_test:] if train else order[:n_test]).values
    return [texts[row] for row in rows.tolist()], labels[rows]
