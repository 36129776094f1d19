"""IAM-OnDB: English sentences on a whiteboard."""

import os
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree

import numpy as np
from pytorch_lightning import LightningDataModule
from typing_extensions import override

from datamodules.base.text_files import read_text
from datamodules.strokes.drawings import Line, Points
from datamodules.strokes.letters import LetterStrokesDataModule
from datamodules.strokes.strokes import Part, StrokesDataModule
from dlmodules.errors import UserError

SPLITS: dict[Part, str] = {"train": "trainset.txt", "val": "testset_v.txt", "test": "testset_f.txt"}
PRINTABLE = " " + string.digits + string.ascii_letters + string.punctuation
SITE = "https://fki.tic.heia-fr.ch/databases/iam-on-line-handwriting-database"


class IAMStrokesDataModule(StrokesDataModule):
    """IAM-OnDB: some 12,000 lines of English by 221 people on a whiteboard (Liwicki & Bunke 2005), which Graves used.

    Read from ``<data_dir>/iam_ondb``: the strokes ``lineStrokes/a01/a01-000/a01-000u-01.xml``, the texts
    ``ascii/a01/a01-000/a01-000u.txt``, and the forms of each part in ``trainset.txt``, ``testset_v.txt`` (validation)
    and ``testset_f.txt`` (test), of which no two have a writer in common. The folders may be in those that the
    archives are named after, as ``lineStrokes-all``. One has to register to be given it, so there is no download.

    Lines with characters other than the 95 printable ones of ASCII are left out, as are those of other than two points
    or more.

    Args:
        data_dir: folder of the data sets; ``$DLMODULES_DATA`` or ``./data`` where None.
        **kwargs: of ``StrokesDataModule``.

    Raises:
        UserError: for a number out of range, and a file that is missing or of another form.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = LetterStrokesDataModule.small_arguments

    def __init__(self, data_dir: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folder = Path(os.path.expanduser(data_dir or os.environ.get("DLMODULES_DATA") or "data")) / "iam_ondb"

    @property
    @override
    def alphabet(self) -> str:
        """The printable characters of ASCII."""
        return PRINTABLE

    @override
    def prepare_data(self) -> None:
        """Raise UserError where something is missing."""
        for name in SPLITS.values():
            self._found(name)
        for name in ("lineStrokes", "ascii"):
            self._found(name)

    def _found(self, name: str) -> Path:
        """Return a file or folder of the data set, by its name."""
        places = [self.folder / name, self.folder / f"{name}-all" / name, *self.folder.glob(f"*/{name}")]
        found = next((place for place in places if place.exists()), None)
        if found is None:
            raise UserError(
                f"{self.folder} has no {name}: register at {SITE} and unpack there what you are given (lineStrokes,"
                " ascii and the lists of task 1), or use LetterStrokesDataModule, which needs no download"
            )
        return found

    @override
    def read(self, part: Part) -> list[Line]:
        names, strokes, texts = self._found(SPLITS[part]), self._found("lineStrokes"), self._found("ascii")
        found = []
        for form in read_text(names).split():
            folder = Path(form[:3], form[:7])
            transcript = texts / folder / f"{form}.txt"
            lines = read_transcript(read_text(transcript), str(transcript))
            for number, text in enumerate(lines, start=1):
                path = strokes / folder / f"{form}-{number:02}.xml"
                # The data set itself lacks some lines.
                if path.is_file() and set(text) <= set(PRINTABLE):
                    drawn = read_line(path)
                    if sum(map(len, drawn)) > 1:
                        found.append(Line(drawn, [PRINTABLE.index(character) + 1 for character in text]))
        return found

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give made-up letters."""
        return LetterStrokesDataModule


def read_transcript(text: str, place: str) -> list[str]:
    """Return the lines behind ``CSR:``, which is what was written; ``OCR:`` before it is what it was taken for.

    Raises:
        UserError: which names ``place``, where there is no such section.
    """
    _, mark, written = text.partition("CSR:")
    if not mark:
        raise UserError(f"{place} has no section CSR:, the lines that were written")
    return [line.strip() for line in written.splitlines() if line.strip()]


def read_line(path: Path) -> list[Points]:
    """Return the strokes of a line of IAM-OnDB, with y upwards.

    Raises:
        UserError: where the file is no XML, or has a point without coordinates.
    """
    try:
        root = ElementTree.parse(path).getroot()
        strokes = [
            np.array([[float(point.attrib["x"]), -float(point.attrib["y"])] for point in stroke.iter("Point")])
            for stroke in root.iter("Stroke")
        ]
    except (ElementTree.ParseError, KeyError, ValueError, OSError) as error:
        raise UserError(f"{path} is no line of IAM-OnDB: {error}") from error
    return [stroke for stroke in strokes if len(stroke)]
