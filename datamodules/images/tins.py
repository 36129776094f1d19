"""Synthetic biscuit tins: pictures determined by two numbers, width and height."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from datamodules.images.vision import VisionDataModule, square_shape

SMALLEST, LARGEST = 0.25, 0.75  # of the picture's side


class TinsDataModule(VisionDataModule):
    """Grey pictures of cylinders: 2,000 to train and validate, 400 to test; no download.

    Width and height are all that differs, each uniform between a quarter and three quarters of the picture's side, so a
    code of two numbers can hold a picture. Labels say how tall a tin is: 0 low, 1 middle, 2 tall. The test pictures are
    the same for every ``seed``. ``factors`` gives the widths and heights.

    Args:
        batch_size: images per batch, 1 or more.
        image_size: height and width of the pictures in pixels, 8 or more.
        val_size: validation images taken from the 2,000: a number of them, or a fraction in (0, 1); 0 for none.
        **kwargs: of ``VisionDataModule``, all but ``data_dir``.

    Raises:
        UserError: for a number out of range.
    """

    names = ("low", "middle", "tall")

    def __init__(self, batch_size: int = 32, image_size: int = 32, val_size: int | float = 200, **kwargs: Any) -> None:
        super().__init__(batch_size=batch_size, val_size=val_size, data_dir=None, **kwargs)
        self.image_shape = square_shape(image_size, channels=1, smallest=8)

    def factors(self, train: bool) -> Tensor:
        """Return widths and heights ``(N, 2)``, fractions of the side, of the tins for training or for the test."""
        rng = np.random.default_rng(0 if train else 1)
        sizes = rng.uniform(SMALLEST, LARGEST, size=(2000 if train else 400, 2))
        return torch.from_numpy(sizes.astype(np.float32))

    @override
    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        factors = self.factors(train)
        third = (LARGEST - SMALLEST) / 3
        labels = ((factors[:, 1] - SMALLEST) / third).long().clamp(0, 2)
        return draw_tins(factors, self.image_shape[1]), labels


def draw_tins(factors: Tensor, size: int) -> Tensor:
    """Draw cylinders of widths and heights ``factors (N, 2)``, fractions of the side: ``(N, 1, size, size)`` uint8.

    They stand in the middle; light comes from the left, and the lid is an ellipse.
    """
    middle = (torch.arange(size) + 0.5) / size - 0.5
    y, x = middle.view(1, size, 1), middle.view(1, 1, size)
    half_width, half_height = (factors[:, number].view(-1, 1, 1) / 2 for number in (0, 1))
    across = x / half_width  # -1 to 1 on the tin
    bend = 0.25 * half_width * (1 - across.square()).clamp(min=0).sqrt()  # the lid's half depth there
    softness = 1.0 / size

    def inside(distance: Tensor) -> Tensor:
        return (0.5 + distance / softness).clamp(0, 1)

    sides = inside(half_width - x.abs())
    body = sides * inside(y + half_height) * inside(half_height + bend - y)
    lid = sides * inside(bend - (y + half_height).abs())
    shade = 0.75 - 0.35 * across
    grey = torch.maximum(body * shade * (1 - lid), lid * 0.95)
    return (grey.clamp(0, 1) * 255).round().to(torch.uint8).unsqueeze(1)
