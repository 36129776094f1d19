"""CIFAR-10, by way of torchvision."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader
from typing_extensions import override

from datamodules.base.download import download
from datamodules.images.class_choice import chosen_classes
from datamodules.images.digits import DigitsDataModule
from datamodules.images.vision import VisionDataModule, fit_images, square_shape
from dlmodules.errors import UserError
from dlmodules.protocols import Batch

FOLDER = "cifar-10-batches-py"
ARCHIVE = "cifar-10-python.tar.gz"


class CIFAR10DataModule(VisionDataModule):
    """CIFAR-10: 50,000 colour photographs of ten classes to train and validate, 10,000 to test, 32x32.

    Read from ``<data_dir>/cifar-10-batches-py``, torchvision's own place, and downloaded there where missing.
    Torchvision checks the known MD5 sums of the files before it reads them.

    Args:
        image_size: height and width in pixels; the images are resized once where it is not 32.
        classes: names of the classes whose images are used, in the order of their labels; all where None.
        join_splits: train and validate on the test images too, as generative runs may; none is left to test.
        **kwargs: of ``VisionDataModule``.

    Raises:
        UserError: for a number out of range, an unknown class, a failed download, or a damaged file.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"batch_size": 8, "image_size": 32, "channels": 3}
    names = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

    def __init__(
        self, *, image_size: int = 32, classes: Sequence[str] | None = None, join_splits: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.image_shape = square_shape(image_size, channels=3)
        self.chosen = None if classes is None else chosen_classes(classes, self.names)
        self.join_splits = join_splits

    @property
    @override
    def class_names(self) -> list[str]:
        """Names of the classes that are used, in the order of their labels."""
        return list(self.names) if self.chosen is None else [self.names[number] for number in self.chosen]

    @override
    def prepare_data(self) -> None:
        """Download and unpack the archive where its folder is missing."""
        if (Path(self.data_dir) / FOLDER).is_dir():
            return
        from torchvision.datasets import CIFAR10

        download(
            Path(self.data_dir),
            fetch=lambda folder: CIFAR10(folder, download=True),
            results=[FOLDER],
            archives=[ARCHIVE],
            advice=self._advice(),
        )

    def _advice(self) -> str:
        return (
            f"Without a network, put {ARCHIVE} into {self.data_dir}, point data_dir or $DLMODULES_DATA "
            f"at a folder that has it or {FOLDER}, or use DigitsDataModule with channels=3, "
            "which needs no download"
        )

    @override
    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Return the training or the test images of the classes that are used; with ``join_splits`` all or none."""
        if self.join_splits and not train:
            return torch.empty(0, *self.image_shape, dtype=torch.uint8), torch.empty(0, dtype=torch.int64)
        images, labels = self._read(train)
        if self.join_splits:
            test_images, test_labels = self._read(train=False)
            images, labels = torch.cat([images, test_images]), torch.cat([labels, test_labels])
        if self.chosen is not None:
            numbers = torch.full((len(self.names),), -1)
            numbers[self.chosen] = torch.arange(len(self.chosen))
            labels = numbers[labels]
            images, labels = images[labels >= 0], labels[labels >= 0]
        return fit_images(images, self.image_shape[1], 3), labels

    @override
    def test_dataloader(self) -> DataLoader[Batch]:
        if self.join_splits:
            raise UserError("join_splits trains on the test images too; set it to false to have images to test on")
        return super().test_dataloader()

    def _read(self, train: bool) -> tuple[Tensor, Tensor]:
        from torchvision.datasets import CIFAR10

        folder = Path(self.data_dir) / FOLDER
        if not folder.is_dir():
            raise UserError(f"{folder} is missing. {self._advice()}")
        try:
            source = CIFAR10(self.data_dir, train=train)
        except RuntimeError as error:  # its files do not have the known MD5 sums
            raise UserError(f"{folder} is damaged; delete it, and it is downloaded again") from error
        images = torch.from_numpy(source.data).permute(0, 3, 1, 2).contiguous()
        return images, torch.tensor(source.targets)

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give digits in three channels."""
        return DigitsDataModule
