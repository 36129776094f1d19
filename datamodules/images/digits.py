"""Scikit-learn's bundled handwritten digits: real data that needs no download."""

import numpy as np
import torch
from torch import Tensor

from datamodules.base.in_memory import permutation
from datamodules.base.sampling import Transform
from datamodules.images.vision import VisionDataModule, fit_images
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_at_least_one

TEST_SIZE = 300


def check_channels(channels: int) -> int:
    """Return ``channels``, or raise the UserError that it is neither 1 nor 3."""
    if channels not in (1, 3):
        raise UserError(f"channels is {channels}; it must be 1 (grey) or 3 (colour)")
    return channels


class DigitsDataModule(VisionDataModule):
    """The 1,797 handwritten digits of scikit-learn: 1,297 to train, 200 to validate, 300 to test.

    They are 8x8 pixels of 17 grey levels, resized to ``image_size``, and stand in for MNIST where there is no
    network. The 300 test images are the same for every ``seed``.

    Args:
        batch_size: images per batch, 1 or more.
        image_size: height and width of the images in pixels.
        channels: 1, or 3 to repeat the grey channel.
        val_size: validation images taken from the 1,497 that are not for the test: a number of them, or a
            fraction in (0, 1); 0 for none.
        num_workers: processes that make batches; 0, in the main process, is fastest for images in memory.
        seed: fixes the split and the order of training batches, whatever else draws random numbers.
        drop_last: leave out an epoch's last training batch where it is smaller than the others.
        train_transform: augmentation, applied to the whole ``x`` of a training batch, such as a transform of
            ``torchvision.transforms.v2`` (which draws once for the whole batch). What it draws from torch's
            generator depends on ``seed``, the epoch and the batch.
        pin_memory: copy batches to pinned memory, for transfers to a GPU.
        limit_train: use only so many training images; all where None.

    Raises:
        UserError: for a number out of range.
    """

    names = tuple("0123456789")

    def __init__(
        self,
        batch_size: int = 128,
        image_size: int = 28,
        channels: int = 1,
        val_size: int | float = 200,
        num_workers: int = 0,
        seed: int = 0,
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
            drop_last=drop_last,
            train_transform=train_transform,
            pin_memory=pin_memory,
            limit_train=limit_train,
        )
        check_at_least_one(image_size=image_size)
        self.image_shape = (check_channels(channels), image_size, image_size)

    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Return the images that are, or are not, for the test."""
        from sklearn.datasets import load_digits

        pixels, labels = load_digits(return_X_y=True)
        levels = np.rint(pixels.reshape(-1, 1, 8, 8) * (255 / 16)).astype(np.uint8)
        order = permutation(len(levels), seed=0)  # not self.seed: no training image may ever become a test image
        rows = order[TEST_SIZE:] if train else order[:TEST_SIZE]
        images = fit_images(torch.from_numpy(levels)[rows], self.image_shape[1], self.image_shape[0])
        return images, torch.from_numpy(labels)[rows].long()
