"""The Internet Movie Database's reviews."""

import gzip
import os
import re
import tarfile
import zlib
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from typing_extensions import override

from datamodules.base.download import download
from datamodules.base.text_files import decode
from datamodules.text.labels import labels_of
from datamodules.text.text import TextDataModule
from datamodules.text.text_table import read_texts, split_test
from datamodules.text.toy_sentiment import ToySentimentDataModule
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_amounts

URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
ARCHIVE = "aclImdb_v1.tar.gz"
MD5 = "7c2ac02c03563afcf9b574c7e56c153a"
TABLE = "imdb_train_25k.csv.gz"
BLOCK = 2**20  # bytes
MEMBER = re.compile(r"aclImdb/(train|test)/(neg|pos)/[^/]+\.txt")


class IMDBDataModule(TextDataModule):
    """IMDB: film reviews that like their film or do not; 20,000 to train, 5,000 to validate, 25,000 to test.

    Read from the authors' archive ``<data_dir>/imdb/aclImdb_v1.tar.gz``, without unpacking it. Where that is
    missing, ``<data_dir>/imdb/imdb_train_25k.csv.gz`` (columns text,label; label 0 or 1) gives the reviews for
    training, of which ``test_size`` are for the test. Where both are, the archive is downloaded.

    Args:
        val_size: validation reviews taken from the training reviews: a number of them, or a fraction in (0, 1);
            0 for none.
        test_size: test reviews taken from the CSV file, where there is no archive with the 25,000 of its own: a
            number of them, or a fraction in (0, 1); 0 for none. They are the same for every ``seed``.
        data_dir: folder of the data sets; ``$DLMODULES_DATA`` or ``./data`` where None.
        **kwargs: of ``TextDataModule``.

    Raises:
        UserError: for a number out of range, a failed download, or a damaged file.
    """

    unit = "reviews"
    names = ("negative", "positive")

    def __init__(
        self, *, val_size: int | float = 5000, test_size: int | float = 0, data_dir: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(val_size=val_size, **kwargs)
        check_amounts(self.unit, test_size=test_size)
        self.test_size = test_size
        self.data_dir = os.path.expanduser(data_dir or os.environ.get("DLMODULES_DATA") or "data")

    @property
    def folder(self) -> Path:
        """The folder of the archive or the CSV file."""
        return Path(self.data_dir) / "imdb"

    @override
    def prepare_data(self) -> None:
        """Download the archive where neither it nor the CSV file is there."""
        if (self.folder / ARCHIVE).is_file() or (self.folder / TABLE).is_file():
            return
        from torchvision.datasets.utils import download_url

        download(
            self.folder,
            fetch=lambda folder: download_url(URL, folder, ARCHIVE, MD5),
            results=[ARCHIVE],
            archives=[],
            advice=self._advice(),
        )

    def _advice(self) -> str:
        return (
            f"Without a network, put {ARCHIVE} or {TABLE} into {self.folder}, point data_dir or $DLMODULES_DATA "
            "at a folder that has imdb with one of them, or use ToySentimentDataModule, which needs no download"
        )

    @override
    def load(self, train: bool) -> tuple[list[str], Tensor]:
        archive, table = self.folder / ARCHIVE, self.folder / TABLE
        if archive.is_file():
            return read_archive(archive, train)
        if not table.is_file():
            raise UserError(f"{archive} is missing. {self._advice()}")
        rows = read_texts(table)
        labels = labels_of(self.names, rows.labels, rows.places)
        return split_test(rows.texts, labels, self.test_size, train)

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give made-up opinions."""
        return ToySentimentDataModule


def read_archive(path: Path, train: bool) -> tuple[list[str], Tensor]:
    """Return texts and labels of one part of the archive, sorted by the names of their files.

    Raises:
        UserError: where the archive is damaged or is another one, or a review is not UTF-8.
    """
    part, reviews = "train" if train else "test", {}
    try:
        # Tarfile takes an archive that is cut off between two files for a whole one; gzip's own end mark tells.
        with gzip.open(path) as unzipped:
            with tarfile.open(fileobj=unzipped, mode="r|") as archive:
                for member in archive:
                    found = MEMBER.fullmatch(member.name)
                    if found and found[1] == part and (file := archive.extractfile(member)):
                        text = decode(file.read(), f"{path}, {member.name}")
                        reviews[member.name] = (text, int(found[2] == "pos"))
            while unzipped.read(BLOCK):
                pass
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise UserError(f"{path} is damaged ({error}); delete it, and it is downloaded again") from error
    if not reviews:
        raise UserError(f"{path} has no reviews under aclImdb/{part}; delete it, and the right one is downloaded")
    ordered = [reviews[name] for name in sorted(reviews)]
    return [text for text, _ in ordered], torch.tensor([label for _, label in ordered])
