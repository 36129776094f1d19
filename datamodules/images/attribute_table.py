"""Tables of the attributes of a folder's images, in CelebA's format or as CSV."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from datamodules.base.csv_table import read_csv
from dlmodules.errors import UserError

VALUES = {"1": 1, "+1": 1, "true": 1, "0": 0, "-1": 0, "false": 0}


@dataclass(frozen=True)
class AttributeTable:
    """Attributes of images.

    Attributes:
        names: of the attributes.
        rows: file name to a 0 or 1 for each of ``names``.
    """

    names: tuple[str, ...]
    rows: dict[str, tuple[int, ...]]


def read_attributes(path: Path, wanted: Sequence[str] | None = None) -> AttributeTable:
    """Read a table, all its attributes or the ``wanted`` ones in their order.

    A name that ends in ``.csv`` has a heading ``file,attribute,...`` and a row for each image. Any other file is in
    CelebA's form: a line with the number of images, one with the names of the attributes, and one for each image
    with its file name and a 1 or -1 for each attribute.

    Raises:
        UserError: where the table cannot be read, has a value that is no 0, 1 or -1, a row of another length, a file
            or an attribute twice, or has not a wanted attribute; and where none is wanted, or one twice.
    """
    if not path.is_file():
        raise UserError(f"there is no attribute table {path}")
    if path.suffix.lower() == ".csv":
        table = read_csv(str(path))
        heading, numbered = table.columns[1:], list(zip(table.lines, table.cells, strict=True))
    else:
        lines = _text(path).splitlines()
        heading = lines[1].split() if len(lines) > 1 else []
        numbered = [(number, line.split()) for number, line in enumerate(lines[2:], 3) if line.strip()]
    if not heading:
        raise UserError(f"the attribute table {path} names no attributes")
    _require_different(heading, str(path))
    rows = dict(_rows(path, numbered, len(heading)))
    if wanted is None:
        return AttributeTable(tuple(heading), rows)
    if not wanted:
        raise UserError("attributes is empty; name one or more, or leave it out for all of the table")
    if missing := [name for name in wanted if name not in heading]:
        raise UserError(f"{path} has no attribute {missing[0]!r}; it has {', '.join(heading)}")
    _require_different(wanted, "attributes")
    places = [heading.index(name) for name in wanted]
    return AttributeTable(tuple(wanted), {file: tuple(row[place] for place in places) for file, row in rows.items()})


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no UTF-8 text; save it as UTF-8") from error


def _require_different(names: Sequence[str], where: str) -> None:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise UserError(f"{where} has the attribute {name!r} twice")


def _rows(path: Path, numbered: Iterable[tuple[int, list[str]]], size: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    seen = set()
    for number, (file, *values) in numbered:
        if len(values) != size:
            raise UserError(f"{path}, line {number}: {len(values)} values for {size} attributes")
        if file in seen:
            raise UserError(f"{path}, line {number}: {file} is there twice")
        seen.add(file)
        try:
            yield file, tuple(VALUES[value.strip().lower()] for value in values)
        except KeyError as error:
            raise UserError(f"{path}, line {number}: {error.args[0]!r} is no 0, 1 or -1") from error


def read_splits(path: Path) -> dict[str, str]:
    """Read ``list_eval_partition.txt``: file name to ``train``, ``val`` or ``test``; empty where there is none.

    Raises UserError where it cannot be read, and for a line that is not a file name and a 0, 1 or 2.
    """
    if not path.is_file():
        return {}
    splits = {}
    for number, line in enumerate(_text(path).splitlines(), 1):
        words = line.split()
        if words and (len(words) != 2 or words[1] not in ("0", "1", "2")):
            raise UserError(f"{path}, line {number}: {line.strip()!r} is not a file name and a 0, 1 or 2")
        if words:
            splits[words[0]] = ("train", "val", "test")[int(words[1])]
    return splits
