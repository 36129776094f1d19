"""Small pictures of cartoon faces in a palette of 256 colours."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from datamodules.images.cartoon_faces import ACCESSORIES, ATTRIBUTES, draw_faces, drawn_rows
from datamodules.images.vision import VisionDataModule, square_shape
from dlmodules.validation.arguments import check_at_least

LEVELS = (8, 8, 4)  # red, green and blue: 256 colours


class PlanetPixelDataModule(VisionDataModule):
    """Pictures of cartoon faces, 32 pixels a side, of 256 colours; drawn here, no download.

    Hair, its colour, glasses, clothing and its colour are drawn column by column from the frequencies of
    ``WrodlDataModule``, so many of the 4,032 faces are there more than once, in the test too. Labels say what is on
    the nose: 0 nothing, 1 round glasses, 2 sunglasses. The palette has 8 reds, 8 greens and 4 blues, evenly spaced.
    The test pictures, a fifth as many, are the same for every ``seed``.

    Args:
        batch_size: images per batch, 1 or more.
        num_images: how many are drawn to train and validate, 5 or more.
        image_size: height and width of the pictures in pixels, 16 or more.
        val_size: validation images taken from ``num_images``: a number of them, or a fraction in (0, 1); 0 for none.
        **kwargs: of ``VisionDataModule``, all but ``data_dir``.

    Raises:
        UserError: for a number out of range.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"batch_size": 8, "num_images": 100}
    names = ACCESSORIES

    def __init__(
        self,
        batch_size: int = 32,
        num_images: int = 1000,
        image_size: int = 32,
        val_size: int | float = 0.1,
        **kwargs: Any,
    ) -> None:
        super().__init__(batch_size=batch_size, val_size=val_size, data_dir=None, **kwargs)
        check_at_least(5, num_images=num_images)
        self.num_images = num_images
        self.image_shape = square_shape(image_size, channels=3, smallest=16)

    @override
    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        rows = drawn_rows(self.num_images if train else self.num_images // 5, 3 if train else 4)
        return in_palette(draw_faces(rows, self.image_shape[1])), rows[:, list(ATTRIBUTES).index("accessoriesType")]


def in_palette(images: Tensor) -> Tensor:
    """Round colours ``(N, 3, H, W)`` uint8 to the nearest ones of the palette."""
    steps = torch.tensor(LEVELS).view(1, 3, 1, 1) - 1
    return ((images / 255 * steps).round() / steps * 255).round().to(torch.uint8)
