"""The bases of the data modules: three disjoint sets in memory, and their loaders."""

import os
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from datamodules.base.in_memory import InMemoryDataModule, count_of, permutation
from datamodules.images.tensor_dataset import TensorImageDataset
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.validation.arguments import check_amounts, check_at_least, check_at_least_one


def fit_images(images: Tensor, image_size: int, channels: int) -> Tensor:
    """Resize uint8 images ``(N, C, H, W)`` to a square, and repeat a single channel to ``channels``."""
    if images.shape[-2:] != (image_size, image_size):
        from torchvision.transforms.v2.functional import resize

        parts = [resize(part, [image_size, image_size], antialias=True) for part in torch.split(images, 4096)]
        images = torch.cat(parts)
    return images if images.shape[1] == channels else images.repeat(1, channels, 1, 1)


def square_shape(image_size: int, channels: int, smallest: int = 1) -> tuple[int, int, int]:
    """Return the shape of square images of 1 or 3 channels, ``smallest`` pixels a side or more.

    Raises:
        UserError: for another size or another number of channels.
    """
    check_at_least(smallest, image_size=image_size)
    if channels not in (1, 3):
        raise UserError(f"channels is {channels}; it must be 1 (grey) or 3 (colour)")
    return channels, image_size, image_size


class VisionDataModule(InMemoryDataModule[TensorImageDataset, Batch]):
    """Batches ``(x, y)``: x ``(B, C, H, W)`` float32 in [0, 1], y ``(B,)`` int64 class indices.

    Training, validation and test images are disjoint; validation images are taken from the training images by
    a permutation that depends on ``seed``. Fitting never loads the test images. A child sets ``image_shape``
    and ``names`` (or overrides ``class_names``) and implements ``load``.

    Args:
        batch_size: images per batch, 1 or more.
        val_size: validation images taken from the training images: a number of them, or a fraction in (0, 1);
            0 for none.
        data_dir: folder of the data sets; ``$DLMODULES_DATA`` or ``./data`` where None.
        limit_train: use only so many training images; all where None.
        **kwargs: of ``InMemoryDataModule``.

    Raises:
        UserError: for a number out of range, and where the data is missing or damaged.
    """

    unit = "images"
    image_shape: tuple[int, int, int]
    names: Sequence[str] = ()

    def __init__(
        self,
        batch_size: int = 128,
        val_size: int | float = 5000,
        *,
        data_dir: str | None = None,
        limit_train: int | None = None,
        **kwargs: Any,
    ) -> None:
        check_amounts(self.unit, val_size=val_size)
        check_at_least_one(limit_train=limit_train)
        self.val_size = val_size
        super().__init__(batch_size=batch_size, **kwargs)
        self.data_dir = os.path.expanduser(data_dir or os.environ.get("DLMODULES_DATA") or "data")
        self.limit_train = limit_train

    @property
    @override
    def class_names(self) -> list[str]:
        """Names of the classes, in the order of their indices."""
        return list(self.names)

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Return uint8 images ``(N, C, H, W)`` and int64 labels ``(N,)``, for training or for the test."""
        raise NotImplementedError

    @override
    def make_train_and_val(self) -> tuple[TensorImageDataset, TensorImageDataset]:
        images, labels = self.load(train=True)
        order = permutation(len(images), self.seed)
        n_val = count_of(len(images), self.val_size)
        if n_val >= len(images):
            raise UserError(f"val_size={self.val_size} leaves none of the {len(images)} training images to train on")
        train, val = order[n_val:][: self.limit_train], order[:n_val]
        return self.subset(images, labels, train), self.subset(images, labels, val)

    @override
    def make_test(self) -> TensorImageDataset:
        return TensorImageDataset(*self.load(train=False), num_classes=self.num_classes)

    def subset(self, images: Tensor, labels: Tensor, rows: Tensor) -> TensorImageDataset:
        """Return the dataset of some ``rows`` of the images."""
        return TensorImageDataset(images, labels, rows, self.num_classes)
