"""Labelled texts in a CSV file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from datamodules.base.csv_table import read_csv
from datamodules.base.in_memory import count_of, permutation
from datamodules.text.text import TextDataModule, labels_of
from datamodules.text.text_dataset import Padding
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

    A label is the name of a class or its index. The test texts are those of ``test_file``, or a share of the
    others, the same for every ``seed``.

    Args:
        file: CSV file in UTF-8 whose first line names its columns; compressed by gzip or not.
        text_column: name of the column of texts.
        label_column: name of the column of labels.
        class_names: names of the classes in the order of their indices; where None, the labels that are found,
            sorted, as numbers where all of them are.
        test_file: file of the test texts, with the same columns; None takes them from ``file``.
        test_size: test texts taken from ``file``: a number of them, or a fraction in (0, 1); 0 for none.
        batch_size: texts per batch, 1 or more.
        vocabulary_size: the vocabulary's numbers at most, those of padding and unknown words included.
        max_length: words of a text at most, of which the last are kept; None keeps all.
        pad_to: length of all batches, or ``longest`` for that of the longest text in each batch.
        padding: ``front`` (Keras' default) or ``back``, where the zeros go.
        batching: ``length`` makes training batches of texts of similar length, ``random`` takes them at random.
        val_size: validation texts taken from the training texts: a number of them, or a fraction in (0, 1);
            0 for none.
        on_empty: what to do with a text of no words: ``keep`` it as one unknown word, or ``raise``.
        vocabulary_file: JSON file of the vocabulary: read where it is there, else written; None for no file.
        num_workers: processes that make batches; 0, in the main process, is fastest for texts in memory.
        seed: fixes the split and the order of training batches, whatever else draws random numbers.
        drop_last: leave out an epoch's last training batch where it is smaller than the others.
        pin_memory: copy batches to pinned memory, for transfers to a GPU.
        limit_train: use only so many training texts; all where None.

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
        batch_size: int = 128,
        vocabulary_size: int = 10_000,
        max_length: int | None = 500,
        pad_to: int | Literal["longest"] = "longest",
        padding: Padding = "front",
        batching: Literal["length", "random"] = "length",
        val_size: int | float = 0.2,
        on_empty: Literal["keep", "raise"] = "keep",
        vocabulary_file: str | None = None,
        num_workers: int = 0,
        seed: int = 0,
        drop_last: bool = False,
        pin_memory: bool = False,
        limit_train: int | None = None,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            vocabulary_size=vocabulary_size,
            max_length=max_length,
            pad_to=pad_to,
            padding=padding,
            batching=batching,
            val_size=val_size,
            on_empty=on_empty,
            vocabulary_file=vocabulary_file,
            num_workers=num_workers,
            seed=seed,
            drop_last=drop_last,
            pin_memory=pin_memory,
            limit_train=limit_train,
        )
        self.file = Path(file).expanduser()
        self.test_file = None if test_file is None else Path(test_file).expanduser()
        self.text_column = text_column
        self.label_column = label_column
        check_amounts(self.unit, test_size=test_size)
        self.test_size = test_size
        self._class_names = None if class_names is None else list(class_names)

    @property
    def class_names(self) -> list[str]:
        """Names of the classes; the file is read for them where they are not known yet."""
        if self._class_names is None:
            self._class_names = sorted_labels(self._read(self.file).labels)
        return self._class_names

    def _read(self, file: Path) -> TextTable:
        return read_texts(file, self.text_column, self.label_column)

    def load(self, train: bool) -> tuple[list[str], Tensor]:
        """Return texts and labels of the training or the test rows."""
        file = self.file if train or self.test_file is None else self.test_file
        table = self._read(file)
        if self._class_names is None and file == self.file:
            self._class_names = sorted_labels(table.labels)
        labels = labels_of(self.class_names, table.labels, table.places)
        if self.test_file is not None:
            return table.texts, labels
        return split_test(table.texts, labels, self.test_size, train)


def split_test(texts: list[str], labels: Tensor, test_size: int | float, train: bool) -> tuple[list[str], Tensor]:
    """Return the texts that are, or are not, for the test, in their order; the same ones for every seed."""
    n_test = count_of(len(texts), test_size)
    if n_test >= len(texts):
        raise UserError(f"test_size={test_size} leaves none of the {len(texts)} texts to train on")
    order = permutation(len(texts), seed=0)
    rows = torch.sort(order[n_test:] if train else order[:n_test]).values
    return [texts[row] for row in rows.tolist()], labels[rows]


def sorted_labels(labels: Sequence[str]) -> list[str]:
    """Return the distinct labels, sorted as numbers where all of them are."""
    found = set(labels)
    return sorted(found, key=int) if all(label.isdecimal() for label in found) else sorted(found)
