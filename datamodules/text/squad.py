"""SQuAD, the Stanford Question Answering Dataset."""

import os
from pathlib import Path
from typing import Any

from typing_extensions import override

from datamodules.base.download import download
from datamodules.text.question_files import QuestionFilesDataModule

URL = "https://rajpurkar.github.io/SQuAD-explorer/dataset"
TRAIN, TEST = "train-v1.1.json", "dev-v1.1.json"
MD5 = {TRAIN: "981b29407e0affa3b1b156f72073b945", TEST: "3e85deb501d4e538b6bc56f786231552"}


class SQuADDataModule(QuestionFilesDataModule):
    """SQuAD 1.1: 87,599 questions about paragraphs of Wikipedia to train on, 10,570 for the test.

    Read from ``<data_dir>/squad/train-v1.1.json`` and ``dev-v1.1.json``, and downloaded where they are not there.

    Args:
        val_size: training articles for validation: a number of them, or a fraction in (0, 1); 0 for none.
        data_dir: folder of the data sets; ``$DLMODULES_DATA`` or ``./data`` where None.
        **kwargs: of ``QuestionFilesDataModule``.

    Raises:
        UserError: for a number out of range, a failed download, or a damaged file.
    """

    def __init__(self, val_size: int | float = 0.05, data_dir: str | None = None, **kwargs: Any) -> None:
        self.folder = Path(os.path.expanduser(data_dir or os.environ.get("DLMODULES_DATA") or "data")) / "squad"
        super().__init__(str(self.folder / TRAIN), test_file=str(self.folder / TEST), val_size=val_size, **kwargs)

    @override
    def prepare_data(self) -> None:
        """Download the files that are not there."""
        missing = [name for name in MD5 if not (self.folder / name).is_file()]
        if not missing:
            return
        from torchvision.datasets.utils import download_url

        download(
            self.folder,
            fetch=lambda folder: [download_url(f"{URL}/{name}", folder, name, MD5[name]) for name in missing],
            results=missing,
            archives=[],
            advice=f"Without a network, put {', '.join(missing)} into {self.folder}, or use FactsDataModule, which"
            " needs no download",
        )
