"""Scikit-learn's bundled handwritten digits: real data that needs no download."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from datamodules.base.in_memory import permutation
from datamodules.images.vision import VisionDataModule, fit_images, square_shape
from dlmodules.errors import UserError

TEST_SIZE = 300


class DigitsDataModule(VisionDataModule):
    """The 1,797 handwritten digits of scikit-learn: 1,297 to train, 200 to validate, 300 to test.

    They are 8x8 pixels of 17 grey levels, resized to ``image_size``, and stand in for MNIST where there is no
    network. Scikit-learn's fill their 8 rows: without a ``margin`` every digit touches the upper and the lower edge.
    The 300 test images are the same for every ``seed``.

    Args:
        image_size: height and width of the images in pixels.
        channels: 1, or 3 to repeat the grey channel.
        margin: black pixels on each side, within ``image_size``; MNIST's digits have 4 of 28.
        val_size: validation images taken from the 1,497 that are not for the test: a number of them, or a
            fraction in (0, 1); 0 for none.
        **kwargs: of ``VisionDataModule``, all but ``data_dir``.

    Raises:
        UserError: for a number out of range.
    """

    names = tuple("0123456789")

    def __init__(
        self,
        *,
        image_size: int = 28,
        channels: int = 1,
        margin: int = 0,
        val_size: int | float = 200,
        **kwargs: Any,
    ) -> None:
        super().__init__(val_size=val_size, data_dir=None, **kwargs)
        self.image_shape = square_shape(image_size, channels)
        if not 0 <= margin <= (image_size - 1) // 2:
            raise UserError(f"margin is {margin}; it must be 0 or more, and leave a pixel of {image_size}")
        self.margin = margin

    @override
    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        from sklearn.datasets import load_digits

        pixels, labels = load_digits(return_X_y=True)
        levels = np.rint(pixels.reshape(-1, 1, 8, 8) * (255 / 16)).astype(np.uint8)
        order = permutation(len(levels), seed=0)  # not self.seed: no training image may ever become a test image
        rows = order[TEST_SIZE:] if train else order[:TEST_SIZE]
        channels, size, _ = self.image_shape
        images = fit_images(torch.from_numpy(levels)[rows], size - 2 * self.margin, channels)
        images = torch.nn.functional.pad(images, (self.margin,) * 4)
        return images, torch.from_numpy(labels)[rows].long()
