"""Pairs of texts in files: two columns of one, or the lines of two."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from pytorch_lightning import LightningDataModule
from typing_extensions import override

from datamodules.base.in_memory import count_of, permutation
from datamodules.base.text_files import read_text
from datamodules.text.dates import DatesDataModule
from datamodules.text.text_pairs import Pairs, TextPairsDataModule
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_amounts


class PairFilesDataModule(TextPairsDataModule):
    """Anyone's own pairs: a table with tabs between its columns, or two files with a text on each line.

    Validation and test pairs are those of their own files, or parts of the others, the same for every ``seed``. Files
    are UTF-8, compressed by gzip or not. Pairs of which one text is empty are passed over.

    Args:
        files: one table, whose first line names its columns; or two files, of sources and of targets.
        source_column: name of the column of sources in a table.
        target_column: name of the column of targets.
        val_files: for validation, of the same form; None takes pairs from ``files``.
        test_files: for the test; None takes pairs from ``files``.
        val_size: pairs for validation: a number of them, or a fraction in (0, 1); 0 for none.
        test_size: pairs for the test, in the same way.
        **kwargs: of ``TextPairsDataModule``.

    Raises:
        UserError: for a number out of range, a file that cannot be read, a missing column, and two files with different
            numbers of lines.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = DatesDataModule.small_arguments

    def __init__(
        self,
        files: Sequence[str],
        source_column: str = "source",
        target_column: str = "target",
        val_files: Sequence[str] | None = None,
        test_files: Sequence[str] | None = None,
        val_size: int | float = 0.1,
        test_size: int | float = 0.1,
        **kwargs: Any,
    ) -> None:
        for name, given in (("files", files), ("val_files", val_files), ("test_files", test_files)):
            if given is not None and (isinstance(given, str) or len(given) not in (1, 2)):
                raise UserError(f"{name} must be a list of one table, or of two files, of sources and of targets")
        check_amounts(self.unit, val_size=val_size, test_size=test_size)
        super().__init__(**kwargs)
        self.files = {"train": list(files), "val": val_files, "test": test_files}
        self.columns = source_column, target_column
        self.val_size = val_size
        self.test_size = test_size

    @override
    def read(self, part: Literal["train", "val", "test"]) -> Pairs:
        own = self.files[part]
        if own is not None and part != "train":
            return read_pairs(own, *self.columns)
        pairs = read_pairs(self.files["train"] or (), *self.columns)
        n = len(pairs.sources)
        if n == 0:
            raise UserError(f"there are no pairs in {', '.join(self.files['train'] or ())}")
        n_test = 0 if self.files["test"] is not None else count_of(n, self.test_size)
        n_val = 0 if self.files["val"] is not None else count_of(n, self.val_size)
        if n_test + n_val >= n:
            raise UserError(
                f"val_size={self.val_size} and test_size={self.test_size} leave none of the {n} pairs of"
                f" {', '.join(self.files['train'] or ())} to train on"
            )
        order = permutation(n, seed=0).tolist()
        rows = {"test": order[:n_test], "val": order[n_test : n_test + n_val], "train": order[n_test + n_val :]}
        return pairs.take(sorted(rows[part]))

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give made-up dates."""
        return DatesDataModule


def read_pairs(files: Sequence[str], source_column: str = "source", target_column: str = "target") -> Pairs:
    """Read the pairs of one table, or of the lines of two files, without those of which one text is empty.

    Raises:
        UserError: a file cannot be read, lacks a column, or has another number of lines than its partner.
    """
    paths = [Path(file).expanduser() for file in files]
    if len(paths) == 2:
        sources, targets = (lines_of(read_text(path)) for path in paths)
        if len(sources) != len(targets):
            raise UserError(
                f"{paths[0]} has {len(sources)} lines and {paths[1]} has {len(targets)}: each line needs its partner"
            )
    else:
        (path,) = paths
        sources, targets = columns_of(path, lines_of(read_text(path)), source_column, target_column)
    kept = [(one, other) for one, other in zip(sources, targets, strict=True) if one.strip() and other.strip()]
    return Pairs([one.strip() for one, _ in kept], [other.strip() for _, other in kept])


def lines_of(text: str) -> list[str]:
    """Return the lines of ``text``; only line feeds end them, which no reader counts otherwise."""
    return text.removesuffix("\n").split("\n")


def columns_of(path: Path, lines: list[str], source_column: str, target_column: str) -> tuple[list[str], list[str]]:
    """Return two columns of a table with tabs, whose quotes are characters as others are."""
    names = lines[0].rstrip("\r").split("\t")
    for column in (source_column, target_column):
        if column not in names:
            raise UserError(f"{path} has no column {column!r}; its first line names: {', '.join(names)}")
    places = [names.index(column) for column in (source_column, target_column)]
    found: tuple[list[str], list[str]] = ([], [])
    for number, line in enumerate(lines[1:], start=2):
        cells = line.rstrip("\r").split("\t")
        if len(cells) <= max(places):
            raise UserError(f"{path}, line {number}: the row has {len(cells)} of {len(names)} columns")
        for texts, place in zip(found, places, strict=True):
            texts.append(cells[place])
    return found
