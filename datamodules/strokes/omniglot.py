"""Omniglot's drawings of characters, as the pen drew them."""

import os
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from pytorch_lightning import LightningDataModule
from typing_extensions import override

from datamodules.base.download import download
from datamodules.strokes.drawings import Line, Points, simplified
from datamodules.strokes.letters import LetterStrokesDataModule
from datamodules.strokes.strokes import Part, StrokesDataModule
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_at_least, check_at_least_one

URL = "https://github.com/brendenlake/omniglot/raw/master/python/strokes_background_small{}.zip"
ARCHIVES = ("strokes_background_small1.zip", "strokes_background_small2.zip")
MEMBER = re.compile(r"strokes_\w+/([^/]+)/character(\d+)/\d+_(\d+)\.txt")
WRITERS = 20
GAP = 20.0  # pixels between two characters, of 105 that a drawing may be wide


class Drawing(NamedTuple):
    """A character as somebody drew it; the first of its name is 1, as is the first writer."""

    name: str
    writer: int
    strokes: list[Points]


class OmniglotStrokesDataModule(StrokesDataModule):
    """Omniglot: 242 characters of eight alphabets, each drawn by 20 people; a line has a few of one of them.

    Read from ``<data_dir>/omniglot_strokes/strokes_background_small1.zip`` and ``...2.zip``, which are downloaded where
    they are missing. A line has characters of one alphabet by one writer, in an order that is the same for every
    ``seed``, 20 pixels apart. The last writers of each alphabet are for the test alone, those before them for the
    validation; the files number writers anew in each alphabet, and do not say who drew more than one.

    Coordinates are whole pixels, or multiples of a part of one: a density could be as high as one likes there. So they
    are shifted by up to half a pixel at random, always in the same way.

    Args:
        characters: of a line, 1 or more.
        tolerance: points are left out as long as no line moves by more than so many pixels; 0 keeps all.
        val_writers: writers of each alphabet for the validation; 0 for none.
        test_writers: writers of each alphabet for the test; 0 for none.
        data_dir: folder of the data sets; ``$DLMODULES_DATA`` or ``./data`` where None.
        **kwargs: of ``StrokesDataModule``.

    Raises:
        UserError: for a number out of range, a failed download, or a damaged file.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = LetterStrokesDataModule.small_arguments

    def __init__(
        self,
        characters: int = 5,
        tolerance: float = 2.0,
        val_writers: int = 2,
        test_writers: int = 4,
        data_dir: str | None = None,
        **kwargs: Any,
    ) -> None:
        check_at_least_one(characters=characters)
        check_at_least(0, tolerance=tolerance, val_writers=val_writers, test_writers=test_writers)
        if val_writers + test_writers >= WRITERS:
            raise UserError(
                f"val_writers={val_writers} and test_writers={test_writers} leave none of {WRITERS} to train on"
            )
        super().__init__(**kwargs)
        self.characters, self.tolerance = characters, tolerance
        self.val_writers, self.test_writers = val_writers, test_writers
        self.folder = Path(os.path.expanduser(data_dir or os.environ.get("DLMODULES_DATA") or "data"))
        self.folder /= "omniglot_strokes"
        self._drawings: list[Drawing] | None = None

    @override
    def prepare_data(self) -> None:
        """Download the archives that are missing."""
        for number, archive in enumerate(ARCHIVES, start=1):
            if not (self.folder / archive).is_file():
                download(
                    self.folder,
                    fetch=lambda folder, number=number, archive=archive: fetch(folder, number, archive),  # type: ignore[misc]  # a lambda with defaults
                    results=[archive],
                    archives=[],
                    advice=self._advice(),
                )

    def _advice(self) -> str:
        return (
            f"Without a network, put {' and '.join(ARCHIVES)} of https://github.com/brendenlake/omniglot into"
            f" {self.folder}, point data_dir or $DLMODULES_DATA at a folder that has omniglot_strokes with both, or use"
            " LetterStrokesDataModule, which needs no download"
        )

    @property
    @override
    def alphabet(self) -> list[str]:
        """The characters, such as ``Greek 01``."""
        return sorted({drawing.name for drawing in self._all_drawings()})

    def _all_drawings(self) -> list[Drawing]:
        if self._drawings is None:
            missing = [archive for archive in ARCHIVES if not (self.folder / archive).is_file()]
            if missing:
                raise UserError(f"{self.folder} has no {' and no '.join(missing)}. {self._advice()}")
            found = [drawing for archive in ARCHIVES for drawing in read_drawings(self.folder / archive)]
            # Two of the alphabets are in both archives.
            once = {(drawing.name, drawing.writer): drawing for drawing in found}
            self._drawings = [once[key] for key in sorted(once)]
        return self._drawings

    @override
    def read(self, part: Part) -> list[Line]:
        for_test, held_out = WRITERS - self.test_writers, WRITERS - self.test_writers - self.val_writers
        writers = {
            "train": range(1, held_out + 1),
            "val": range(held_out + 1, for_test + 1),
            "test": range(for_test + 1, WRITERS + 1),
        }[part]
        by_writer: defaultdict[tuple[str, int], list[Drawing]] = defaultdict(list)
        for drawing in self._all_drawings():
            if drawing.writer in writers:
                by_writer[drawing.name.rpartition(" ")[0], drawing.writer].append(drawing)
        numbers = {name: number for number, name in enumerate(self.alphabet, start=1)}
        lines = []
        for place, drawings in enumerate(by_writer.values()):
            rng = np.random.default_rng([writers.start, place])
            order = rng.permutation(len(drawings))
            for start in range(0, len(order), self.characters):
                chosen = [drawings[row] for row in order[start : start + self.characters]]
                strokes = self._side_by_side(chosen, rng)
                if sum(map(len, strokes)) > 1:
                    lines.append(Line(strokes, [numbers[drawing.name] for drawing in chosen]))
        return lines

    def _side_by_side(self, drawings: list[Drawing], rng: np.random.Generator) -> list[Points]:
        strokes: list[Points] = []
        x = 0.0
        for drawing in drawings:
            kept = [simplified(stroke, self.tolerance) for stroke in drawing.strokes]
            left, right = min(part[:, 0].min() for part in kept), max(part[:, 0].max() for part in kept)
            place = np.array([x - left, 0.0])
            strokes += [part + place + rng.uniform(-0.5, 0.5, part.shape) for part in kept]
            x += right - left + GAP
        return strokes

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give made-up letters."""
        return LetterStrokesDataModule


def fetch(folder: str, number: int, archive: str) -> None:
    """Download an archive into ``folder``, and look whether it came whole."""
    from torchvision.datasets.utils import download_url

    download_url(URL.format(number), folder, archive)
    next(read_drawings(Path(folder) / archive))


def read_drawings(path: Path) -> Iterator[Drawing]:
    """Yield the drawings of an archive.

    Raises:
        UserError: where it is damaged, or has something else than drawings.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [found for name in archive.namelist() if (found := MEMBER.fullmatch(name))]
            if not members:
                raise UserError(f"{path} has no drawings of Omniglot; delete it, and the right one is downloaded")
            for found in members:
                strokes = read_strokes(archive.read(found[0]).decode(), f"{path}, {found[0]}")
                yield Drawing(f"{found[1]} {found[2]}", int(found[3]), strokes)
    except (zipfile.BadZipFile, UnicodeDecodeError, OSError) as error:
        raise UserError(f"{path} is damaged ({error}); delete it, and it is downloaded again") from error


def read_strokes(text: str, place: str) -> list[Points]:
    """Return the strokes of a file: ``START``, then lines ``x,y,milliseconds``, and ``BREAK`` where the pen is lifted.

    Raises:
        UserError: which names ``place``, for any other line, and for a file without points.
    """
    first, *lines = text.split() or [""]
    strokes: list[list[list[float]]] = [[]]
    try:
        if first != "START":
            raise ValueError("it does not begin with START")
        for line in lines:
            if line == "BREAK":
                strokes.append([])
            else:
                x, y, _ = line.split(",")
                strokes[-1].append([float(x), float(y)])
    except ValueError as error:
        raise UserError(f"{place} is no drawing: {error}") from error
    found = [np.array(stroke) for stroke in strokes if stroke]
    if not found:
        raise UserError(f"{place} is no drawing: it has no points")
    return found
