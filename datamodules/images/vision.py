"""The bases of the data modules: three disjoint sets in memory, and their loaders."""

import os
from collections.abc import Sequence

import torch
from torch import Tensor

from datamodules.base.in_memory import InMemoryDataModule, count_of, permutation
from datamodules.base.sampling import Transform
from datamodules.images.tensor_dataset import TensorImageDataset
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_amounts, check_at_least_one


def fit_images(images: Tensor, image_size: int, channels: int) -> Tensor:
    """Resize uint8 images ``(N, C, H, W)`` to a square, and repeat a single channel to ``channels``."""
    if images.shape[-2:] != (image_size, image_size):
        from torchvision.transforms.v2.functional import resize

        parts = [resize(part, [image_size, image_size], antialias=True) for part in torch.split(images, 4096)]
        images = torch.cat(parts)
    return images if images.shape[1] == channels else images.repeat(1, channels, 1, 1)


class VisionDataModule(InMemoryDataModule[TensorImageDataset]):
    """Batches ``(x, y)``: x ``(B, C, H, W)`` float32 in [0, 1], y ``(B,)`` int64 class indices.

    Training, validation and test images are disjoint; validation images are taken from the training images by
    a permutation that depends on ``seed``. Fitting never loads the test images. A child sets ``image_shape``
    and ``names`` (or overrides ``class_names``) and implements ``load``.

    Args:
        batch_size: images per batch, 1 or more.
        val_size: validation images taken from the training images: a number of them, or a fraction in (0, 1);
            0 for none.
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
        UserError: for a number out of range, and where the data is missing or damaged.
    """

    unit = "images"
    image_shape: tuple[int, int, int]
    names: Sequence[str] = ()

    def __init__(
        self,
        batch_size: int = 128,
        val_size: int | float = 5000,
        num_workers: int = 0,
        seed: int = 0,
        data_dir: str | None = None,
        drop_last: bool = False,
        train_transform: Transform | None = None,
        pin_memory: bool = False,
        limit_train: int | None = None,
    ) -> None:
        check_amounts(self.unit, val_size=val_size)
        check_at_least_one(limit_train=limit_train)
        self.val_size = val_size
        super().__init__(batch_size, num_workers, seed, drop_last, train_transform, pin_memory)
        self.data_dir = os.path.expanduser(data_dir or os.environ.get("DLMODULES_DATA") or "data")
        self.limit_train = limit_train

    @property
    def class_names(self) -> list[str]:
        """Names of the classes, in the order of their indices."""
        return list(self.names)

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Return uint8 images ``(N, C, H, W)`` and int64 labels ``(N,)``, for training or for the test."""
        raise NotImplementedError

    def make_train_and_val(self) -> tuple[TensorImageDataset, TensorImageDataset]:
        """Split the training images in two."""
        images, labels = self.load(train=True)
        order = permutation(len(images), self.seed)
        n_val = count_of(len(images), self.val_size)
        if n_val >= len(images):
            raise UserError(f"val_size={self.val_size} leaves none of the {len(images)} training images to train on")
        train, val = order[n_val:][: self.limit_train], order[:n_val]
        return self.subset(images, labels, train), self.subset(images, labels, val)

    def make_test(self) -> TensorImageDataset:
        """Return the test images."""
        return TensorImageDataset(*self.load(train=False), num_classes=self.num_classes)

    def subset(self, images: Tensor, labels: Tensor, rows: Tensor) -> TensorImageDataset:
        """Return the dataset of some ``rows`` of the images."""
        return TensorImageDataset(images, labels, rows, self.num_classes)
