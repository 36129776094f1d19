"""The files of a tub, in which a donkeycar keeps a drive: a folder, or an archive that is read as it is."""

import io
import json
import math
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from torch import Tensor

from datamodules.images.image_files import DECODE_ERRORS
from dlmodules.errors import UserError

MANIFEST = "manifest.json"
FRAME, STEERING = "cam/image_array", "user/angle"
Complain = Callable[[str], None]


@dataclass(frozen=True)
class Entry:
    """What a tub has of a moment: its number, the name of its frame and its steering in [-1, 1]."""

    index: int
    frame: str
    steering: float


class TubFiles:
    """The files of a tub by their names within it.

    Args:
        path: a folder with a ``manifest.json``, or an archive, such as ``tub.tar.gz``, of one.

    Raises:
        UserError: there is no such folder or archive, or it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.packed: Mapping[str, bytes] | None = None
        if path.is_file():
            self.packed = _unpacked(path)
        elif not path.exists():
            raise UserError(f"there is no {path}")
        if not self.has(MANIFEST):
            raise UserError(f"{path} is no tub: it has no {MANIFEST}")

    def has(self, name: str) -> bool:
        """Return whether there is a file of this name."""
        return name in self.packed if self.packed is not None else (self.path / name).is_file()

    def read(self, name: str) -> bytes:
        """Return what is in a file. Raises UserError where it is missing or cannot be read."""
        if not self.has(name):
            raise UserError(f"{self.path} lacks {name}")
        if self.packed is not None:
            return self.packed[name]
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise UserError(f"{self.path / name} cannot be read ({error})") from error


def _unpacked(path: Path) -> dict[str, bytes]:
    """Return the files of the archive by their names below the folder of its manifest."""
    found: dict[PurePosixPath, bytes] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile() and (file := archive.extractfile(member)):
                    found[PurePosixPath(member.name)] = file.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise UserError(f"{path} is no archive that can be read ({error})") from error
    # The one that lies least deep, so that an archive of an archive's copy is no puzzle.
    homes = sorted((name.parent for name in found if name.name == MANIFEST), key=lambda home: (len(home.parts), home))
    return {
        name.relative_to(homes[0]).as_posix(): content
        for name, content in found.items()
        if homes and name.is_relative_to(homes[0])
    }


def entries_of(tub: TubFiles, steering: str, complain: Complain) -> list[Entry]:
    """Return the moments of a tub in the order of time, those that its manifest calls deleted left out.

    Args:
        tub: its files, of the second format of tubs.
        steering: the field with the steering, such as ``user/angle``.
        complain: is told what is wrong with a record, which is left out where it returns.

    Raises:
        UserError: the manifest is damaged, or of another format, or has no such field.
    """
    paths, deleted = _manifest(tub, steering)
    entries: dict[int, Entry] = {}
    for path in paths:
        for place, line in _lines(tub, path):
            entry = _entry(line, steering)
            if isinstance(entry, str):
                complain(f"{tub.path}, {place}: {entry}")
            elif entry.index not in deleted:
                entries[entry.index] = entry
    return [entries[index] for index in sorted(entries)]


def _manifest(tub: TubFiles, steering: str) -> tuple[list[str], set[int]]:
    """Return the names of the catalogs, and the numbers of the records that were deleted."""
    try:
        lines = [json.loads(line) for line in tub.read(MANIFEST).decode().splitlines() if line.strip()]
        inputs, catalogs = list(lines[0]), lines[-1]
        paths, deleted = [str(path) for path in catalogs["paths"]], {int(n) for n in catalogs["deleted_indexes"]}
    except (ValueError, LookupError, TypeError) as error:
        raise UserError(
            f"the {MANIFEST} of {tub.path} cannot be read ({error}): it must be that of a tub as donkeycar 4 writes it"
        ) from error
    for field in (FRAME, steering):
        if field not in inputs:
            raise UserError(f"{tub.path} has no field {field!r}; it has {', '.join(map(str, inputs))}")
    return paths, deleted


def _lines(tub: TubFiles, path: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(tub.read(path).decode("utf-8", "replace").splitlines(), 1):
        if line.strip():
            yield f"{path}, line {number}", line


def _entry(line: str, steering: str) -> Entry | str:
    """Return what a line of a catalog says, or what is wrong with it."""
    try:
        record: Any = json.loads(line)
        index, frame, value = int(record["_index"]), str(record[FRAME]), float(record[steering])
    except KeyError as error:
        return f"the record has no {error}"
    except (ValueError, TypeError):
        return "the record cannot be read"
    if not (math.isfinite(value) and -1.0 <= value <= 1.0):
        return f"{steering} is {value}; it must lie in [-1, 1]"
    return Entry(index, frame, value)


def frame_of(tub: TubFiles, entry: Entry) -> Tensor:
    """Return the frame ``(3, H, W)`` uint8 of a moment. Raises UserError where it is missing or no image."""
    from PIL import Image

    name = f"images/{entry.frame}"
    content = tub.read(name)
    try:
        with Image.open(io.BytesIO(content)) as image:
            pixels = np.asarray(image.convert("RGB"))
    except (*DECODE_ERRORS, Image.DecompressionBombError) as error:
        raise UserError(f"{tub.path}, {name} cannot be read as an image ({error})") from error
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())
