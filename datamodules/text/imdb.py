"""The Internet Movie Database's reviews."""

import gzip
import os
import re
import tarfile
import zlib
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from datamodules.base.download import download
from datamodules.base.text_files import decode
from datamodules.text.text import TextDataModule, labels_of
from datamodules.text.text_dataset import Padding
from datamodules.text.text_table import read_texts, split_test
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
        batch_size: reviews per batch, 1 or more.
        vocabulary_size: the vocabulary's numbers at most, those of padding and unknown words included.
        max_length: words of a review at most, of which the last are kept; None keeps all.
        pad_to: length of all batches, or ``longest`` for that of the longest review in each batch.
        padding: ``front`` (Keras' default) or ``back``, where the zeros go.
        batching: ``length`` makes training batches of reviews of similar length, ``random`` takes them at random.
        val_size: validation reviews taken from the training reviews: a number of them, or a fraction in (0, 1);
            0 for none.
        test_size: test reviews taken from the CSV file, where there is no archive with the 25,000 of its own: a
            number of them, or a fraction in (0, 1); 0 for none. They are the same for every ``seed``.
        on_empty: what to do with a review of no words: ``keep`` it as one unknown word, or ``raise``.
        vocabulary_file: JSON file of the vocabulary: read where it is there, else written; None for no file.
        num_workers: processes that make batches; 0, in the main process, is fastest for reviews in memory.
        seed: fixes the split and the order of training batches, whatever else draws random numbers.
        data_dir: folder of the data sets; ``$DLMODULES_DATA`` or ``./data`` where None.
        drop_last: leave out an epoch's last training batch where it is smaller than the others.
        pin_memory: copy batches to pinned memory, for transfers to a GPU.
        limit_train: use only so many training reviews; all where None.

    Raises:
        UserError: for a number out of range, a failed download, or a damaged file.
    """

    unit = "reviews"
    names = ("negative", "positive")

    def __init__(
        self,
        batch_size: int = 128,
        vocabulary_size: int = 10_000,
        max_length: int | None = 500,
        pad_to: int | Literal["longest"] = "longest",
        padding: Padding = "front",
        batching: Literal["length", "random"] = "length",
        val_size: int | float = 5000,
        test_size: int | float = 0,
        on_empty: Literal["keep", "raise"] = "keep",
        vocabulary_file: str | None = None,
        num_workers: int = 0,
        seed: int = 0,
        data_dir: str | None = None,
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
        check_amounts(self.unit, test_size=test_size)
        self.test_size = test_size
        self.data_dir = os.path.expanduser(data_dir or os.environ.get("DLMODULES_DATA") or "data")

    @property
    def folder(self) -> Path:
        """The folder of the archive or the CSV file."""
        return Path(self.data_dir) / "imdb"

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

    def load(self, train: bool) -> tuple[list[str], Tensor]:
        """Return the reviews for training, or those for the test."""
        archive, table = self.folder / ARCHIVE, self.folder / TABLE
        if archive.is_file():
            return read_archive(archive, train)
        if not table.is_file():
            raise UserError(f"{archive} is missing. {self._advice()}")
        rows = read_texts(table)
        labels = labels_of(self.names, rows.labels, rows.places)
        return split_test(rows.texts, labels, self.test_size, train)


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
