"""Texts in files: of plain text or in a column of a table."""

import re
from collections.abc import Sequence
from pathlib import Path

from datamodules.base.csv_table import read_csv
from datamodules.base.text_files import files_below, read_text
from dlmodules.errors import UserError

KINDS = (".txt", ".csv", ".txt.gz", ".csv.gz")
BLANK_LINE = re.compile(r"\n\s*\n")


def find_texts(names: Sequence[str], data_dir: Path) -> list[Path]:
    """Return the files of text that ``names`` name, those of a folder in alphabetical order.

    A name that is no file or folder is looked for in ``data_dir``. Raises UserError where it is not there either,
    and for a folder without texts.
    """
    found: list[Path] = []
    for name in names:
        path = Path(name).expanduser()
        path = path if path.exists() else data_dir / path
        if not path.exists():
            raise UserError(
                f"there is no file or folder {name}, here or in {data_dir}: name texts (.txt or .csv, compressed or"
                " not) in files, or leave files out for made-up sentences, which need no download"
            )
        inside = files_below(path, KINDS) if path.is_dir() else [path]
        if not inside:
            raise UserError(f"the folder {path} has no texts: put files with names in {', '.join(KINDS)} into it")
        found += inside
    return found


def texts_of(path: Path, column: str) -> list[str]:
    """Return the texts of a file: the paragraphs of plain text, between blank lines, or a column of a table.

    Raises UserError where the file cannot be read, or lacks the column.
    """
    if ".csv" in path.suffixes[-2:]:
        return read_csv(str(path)).column(column)
    return BLANK_LINE.split(read_text(path))
