"""Texts on which language models are compared."""

import os
import re
from pathlib import Path
from typing import Any, ClassVar

from pytorch_lightning import LightningDataModule
from typing_extensions import override

from datamodules.base.download import download
from datamodules.base.text_files import read_text
from datamodules.text.corpus import CorpusDataModule
from dlmodules.errors import UserError


class NamedCorpusDataModule(CorpusDataModule):
    """Base of the data modules of one known text, below ``data_dir`` or at ``url``.

    Args:
        data_dir: folder of the data sets; ``$DLMODULES_DATA`` or ``./data`` where None.
        **kwargs: of ``CorpusDataModule``.

    Raises:
        UserError: as of ``CorpusDataModule``, and for a failed download.
    """

    place: ClassVar[str]  # of the file below data_dir
    url: ClassVar[str]

    def __init__(self, *, data_dir: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_dir = os.path.expanduser(data_dir or os.environ.get("DLMODULES_DATA") or "data")
        if self.file is None:
            self.file = Path(self.data_dir) / self.place

    @override
    def prepare_data(self) -> None:
        """Download the text where it is not there."""
        assert self.file is not None
        if self.file.exists():
            return
        from torchvision.datasets.utils import download_url

        download(
            self.file.parent,
            fetch=lambda folder: download_url(self.url, folder, self.file.name),  # type: ignore[union-attr]  # a file
            results=[self.file.name],
            archives=[],
            advice=self._advice(),
        )

    def _advice(self) -> str:
        return (
            f"Without a network, put the text of {self.url} into {self.file}, or use CorpusDataModule, which needs no"
            " download"
        )

    @override
    def read(self) -> str:
        assert self.file is not None
        if not self.file.exists():
            raise UserError(f"there is no file {self.file}. {self._advice()}")
        return self.clean(read_text(self.file))

    def clean(self, text: str) -> str:
        """Return what of a file is its text."""
        return text

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give a text that needs no download."""
        return CorpusDataModule


class TinyShakespeareDataModule(NamedCorpusDataModule):
    """Tiny Shakespeare: 1,115,394 characters of plays, of 65 kinds; the last tenth is for the test.

    Read from ``<data_dir>/tinyshakespeare/input.txt``.

    Args:
        val_size: characters for validation, the first ones.
        test_size: characters for the test, the last ones: by default the tenth on which models are compared.
        **kwargs: of ``CorpusDataModule``, and ``data_dir``: the folder of the data sets; ``$DLMODULES_DATA`` or
            ``./data`` where None.

    Raises:
        UserError: as of ``CorpusDataModule``, and for a failed download.
    """

    place = "tinyshakespeare/input.txt"
    url = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"

    def __init__(self, *, val_size: int | float = 0.01, test_size: int | float = 0.1, **kwargs: Any) -> None:
        super().__init__(val_size=val_size, test_size=test_size, **kwargs)


class WarAndPeaceDataModule(NamedCorpusDataModule):
    """War and Peace in English: 3.2 million characters, without the licence and the table of contents.

    Read from ``<data_dir>/text/war_and_peace.txt`` or ``.txt.gz``. Lines of a paragraph are joined, and there are two
    line breaks between paragraphs at most.

    Args:
        val_size: characters for validation.
        test_size: characters for the test, the last ones.
        **kwargs: of ``CorpusDataModule``, and ``data_dir``: the folder of the data sets; ``$DLMODULES_DATA`` or
            ``./data`` where None.

    Raises:
        UserError: as of ``CorpusDataModule``, and for a failed download.
    """

    place = "text/war_and_peace.txt"
    url = "https://www.gutenberg.org/cache/epub/2600/pg2600.txt"

    def __init__(self, *, val_size: int | float = 0.02, test_size: int | float = 0.05, **kwargs: Any) -> None:
        super().__init__(val_size=val_size, test_size=test_size, **kwargs)
        assert self.file is not None
        compressed = self.file.with_name(f"{self.file.name}.gz")
        if not self.file.exists() and compressed.exists():
            self.file = compressed

    @override
    def clean(self, text: str) -> str:
        return joined_lines(between_gutenberg_marks(text))


def between_gutenberg_marks(text: str) -> str:
    """Return what stands between Project Gutenberg's marks of a book's start and end; all of it without marks."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    start = re.search(r"\*\*\* ?START OF .*?\*\*\*", text)
    text = text[start.end() :] if start else text
    end = re.search(r"\*\*\* ?END OF .*?\*\*\*", text)
    return text[: end.start()] if end else text


def joined_lines(text: str) -> str:
    """Join the lines of each paragraph, and leave two line breaks between paragraphs."""
    text = re.sub(r"[ \t]+\n", "\n", text)
    text = re.sub(r"(?<=\S)\n(?=\S)", " ", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
