"""Multi30k: captions of photographs in English, German and French."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

from pytorch_lightning import LightningDataModule
from typing_extensions import override

from datamodules.base.download import download
from datamodules.text.dates import DatesDataModule
from datamodules.text.pair_files import read_pairs
from datamodules.text.text_pairs import Pairs, TextPairsDataModule
from dlmodules.errors import UserError

Language = Literal["de", "en", "fr"]
TestSet = Literal["test_2016_flickr", "test_2017_flickr", "test_2017_mscoco", "test_2018_flickr"]
URL = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw"


class Multi30kDataModule(TextPairsDataModule):
    """Multi30k: 29,000 captions of photographs and their translations, 1,014 for validation, 1,000 for the test.

    Read from ``<data_dir>/translation/multi30k`` (``train.de.gz``, ``val.de.gz``, ``test_2016_flickr.de.gz`` and so
    on), or from ``<data_dir>/multi30k``.

    Args:
        source: language of the sources: ``de``, ``en`` or ``fr``.
        target: language of the targets, another one.
        test_set: which captions are for the test; that of 2018 has 1,071.
        data_dir: folder of the data sets; ``$DLMODULES_DATA`` or ``./data`` where None.
        tokenizer: of both languages.
        **kwargs: of ``TextPairsDataModule``.

    Raises:
        UserError: for one and the same language, a name that is unknown, and a failed download.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = DatesDataModule.small_arguments

    def __init__(
        self,
        source: Language = "de",
        target: Language = "en",
        test_set: TestSet = "test_2016_flickr",
        data_dir: str | None = None,
        **kwargs: Any,
    ) -> None:
        if source not in get_args(Language) or target not in get_args(Language) or source == target:
            raise UserError(f"source is {source!r} and target {target!r}; they must be two of de, en and fr")
        if test_set not in get_args(TestSet):
            raise UserError(f"test_set is {test_set!r}; it must be one of {', '.join(get_args(TestSet))}")
        super().__init__(**kwargs)
        self.languages = source, target
        self.test_set_name = test_set
        root = Path(os.path.expanduser(data_dir or os.environ.get("DLMODULES_DATA") or "data"))
        beside = root / "translation" / "multi30k"
        self.folder = beside if beside.is_dir() else root / "multi30k"

    @override
    def prepare_data(self) -> None:
        """Download the files of the two languages that are not there."""
        missing = [file.name for part in ("train", "val", "test") for file in self._files(part) if not file.exists()]
        if not missing:
            return
        from torchvision.datasets.utils import download_url

        download(
            self.folder,
            fetch=lambda folder: [download_url(f"{URL}/{name}", folder, name) for name in missing],
            results=missing,
            archives=[],
            advice=f"Without a network, put {', '.join(missing)} of {URL} into {self.folder}, or use DatesDataModule or"
            " NumberWordsDataModule, which need no download",
        )

    def _files(self, part: str) -> list[Path]:
        name = self.test_set_name if part == "test" else part
        return [self.folder / f"{name}.{language}.gz" for language in self.languages]

    @override
    def read(self, part: Literal["train", "val", "test"]) -> Pairs:
        return read_pairs([str(file) for file in self._files(part)])

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give made-up dates."""
        return DatesDataModule
