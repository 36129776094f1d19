"""MNIST, by way of torchvision."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from typing_extensions import override

from datamodules.base.download import download
from datamodules.images.digits import DigitsDataModule
from datamodules.images.vision import VisionDataModule, fit_images, square_shape
from dlmodules.errors import UserError

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


class MNISTDataModule(VisionDataModule):
    """MNIST: 60,000 handwritten digits to train and validate, 10,000 to test, 28x28 grey.

    Read from ``<data_dir>/MNIST/raw``, torchvision's own place, and downloaded there where missing.

    Args:
        image_size: height and width in pixels; the images are resized once where it is not 28.
        channels: 1, or 3 to repeat the grey channel.
        **kwargs: of ``VisionDataModule``.

    Raises:
        UserError: for a number out of range, a failed download, or a damaged file.
    """

    names = tuple("0123456789")
    source = "MNIST"  # torchvision's class, and the name of its folder

    small_arguments: ClassVar[Mapping[str, Any]] = {"batch_size": 8, "val_size": 200}

    def __init__(self, *, image_size: int = 28, channels: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.image_shape = square_shape(image_size, channels)

    @property
    def raw(self) -> Path:
        """The folder of the four files."""
        return Path(self.data_dir) / self.source / "raw"

    @override
    def prepare_data(self) -> None:
        """Download the four files where one is missing."""
        if all((self.raw / name).is_file() for name in FILES):
            return
        from torchvision import datasets

        inside = f"{self.source}/raw/"
        download(
            Path(self.data_dir),
            fetch=lambda folder: getattr(datasets, self.source)(folder, download=True),
            results=[inside + name for name in FILES],
            archives=[f"{inside}{name}.gz" for name in FILES],
            advice=self._advice(),
        )

    def _advice(self) -> str:
        return (
            f"Without a network, put {', '.join(FILES)} (or the same with .gz) into {self.raw}, "
            "point data_dir or $DLMODULES_DATA at a folder that has them, or use DigitsDataModule, "
            "which needs no download"
        )

    @override
    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Return the 60,000 training or the 10,000 test images."""
        from torchvision import datasets

        for name in FILES[:2] if train else FILES[2:]:
            check_idx(self.raw / name, self._advice())
        source = getattr(datasets, self.source)(self.data_dir, train=train)
        images: Tensor = source.data.unsqueeze(1)
        return fit_images(images, self.image_shape[1], self.image_shape[0]), source.targets.to(torch.int64)

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give digits."""
        return DigitsDataModule


def check_idx(path: Path, advice: str) -> None:
    """Raise a UserError that names ``path`` unless it is a whole IDX file of bytes.

    Its first four bytes are 0, 0, 8 (unsigned bytes) and the number of dimensions; then come their sizes.
    """
    if not path.is_file():
        raise UserError(f"{path} is missing. {advice}")
    with path.open("rb") as file:
        head = file.read(16)
    if len(head) < 16 or head[:3] != b"\0\0\x08" or head[3] not in (1, 3):
        raise UserError(f"{path} is no IDX file; delete it, and it is downloaded again")
    sizes = [int.from_bytes(head[start : start + 4], "big") for start in range(4, 4 + 4 * head[3], 4)]
    whole, size = 4 + 4 * len(sizes) + math.prod(sizes), path.stat().st_size
    if size != whole:
        raise UserError(f"{path} is damaged, with {size} bytes of {whole}; delete it, and it is downloaded again")
