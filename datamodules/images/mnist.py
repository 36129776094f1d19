"""MNIST, by way of torchvision."""

import math
from pathlib import Path

import torch
from torch import Tensor

from datamodules.base.download import download
from datamodules.base.sampling import Transform
from datamodules.images.digits import check_channels
from datamodules.images.vision import VisionDataModule, fit_images
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_at_least_one

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
        batch_size: images per batch, 1 or more.
        image_size: height and width in pixels; the images are resized once where it is not 28.
        channels: 1, or 3 to repeat the grey channel.
        val_size: validation images taken from the 60,000 training images: a number of them, or a fraction in
            (0, 1); 0 for none.
        num_workers: processes that make batches; 0, in the main process, is fastest for images in memory.
        seed: fixes the split and the order of training batches, whatever else draws random numbers.
        data_dir: folder of the data sets; ``$DLMODULES_DATA`` or ``./data`` where None.
        drop_last: leave out an epoch's last training batch where it is smaller than the others.
        train_transform: augmentation, applied to the whole ``x`` of a training batch, such as a transform of
            ``torchvision.transforms.v2`` (which draws once for the whole batch). What it draws from torch's
            generator depends on ``seed``, the epoch and the batch.
        pin_memory: copy batches to pinned memory, for transfers to a GPU.
        limit_train: use only so many training images; all where None.

    Raises:
        UserError: for a number out of range, a failed download, or a damaged file.
    """

    names = tuple("0123456789")
    source = "MNIST"  # torchvision's class, and the name of its folder

    def __init__(
        self,
        batch_size: int = 128,
        image_size: int = 28,
        channels: int = 1,
        val_size: int | float = 5000,
        num_workers: int = 0,
        seed: int = 0,
        data_dir: str | None = None,
        drop_last: bool = False,
        train_transform: Transform | None = None,
        pin_memory: bool = False,
        limit_train: int | None = None,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            val_size=val_size,
            num_workers=num_workers,
            seed=seed,
            data_dir=data_dir,
            drop_last=drop_last,
            train_transform=train_transform,
            pin_memory=pin_memory,
            limit_train=limit_train,
        )
        check_at_least_one(image_size=image_size)
        self.image_shape = (check_channels(channels), image_size, image_size)

    @property
    def raw(self) -> Path:
        """The folder of the four files."""
        return Path(self.data_dir) / self.source / "raw"

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

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Return the 60,000 training or the 10,000 test images."""
        from torchvision import datasets

        for name in FILES[:2] if train else FILES[2:]:
            check_idx(self.raw / name, self._advice())
        source = getattr(datasets, self.source)(self.data_dir, train=train)
        images: Tensor = source.data.unsqueeze(1)
        return fit_images(images, self.image_shape[1], self.image_shape[0]), source.targets.to(torch.int64)


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
