"""Patches of photographs, such as what something is drawn on."""

from pathlib import Path

import torch
from torch import Tensor

from datamodules.images.image_cache import cached_pixels
from datamodules.images.image_files import decode, list_images, shipped_photo
from dlmodules.errors import UserError

SIZE = 256
SHIPPED = ("china.jpg", "flower.jpg")
"""Photographs that scikit-learn has."""


class PhotoPatches:
    """Square patches at random places of photographs, of which the central squares are taken, 256 pixels a side.

    Args:
        photos: folder of photographs; None takes the two of scikit-learn, which need no download.
        held_out: fraction of them, and no photograph less than one, that is for the test alone; of scikit-learn's the
            lower half of both.
        cache_dir: where those of the folder are kept as they are decoded, as ``ImageFolderDataModule`` has it.

    Raises:
        UserError: there are none, or one cannot be read.
    """

    def __init__(self, photos: str | None, held_out: float = 0.2, cache_dir: str | None = None) -> None:
        if photos is None:
            images = torch.stack([torch.from_numpy(decode(shipped_photo(name), SIZE, 3).copy()) for name in SHIPPED])
            self.train, self.test = images[:, :, : SIZE // 2], images[:, :, SIZE // 2 :]
            return
        listing = list_images(Path(photos).expanduser())
        images, _ = cached_pixels(listing, SIZE, 3, False, cache_dir)
        if len(images) < 2:
            raise UserError(f"{photos} has {len(images)} photograph: at least two are needed, one of them for the test")
        apart = max(1, round(held_out * len(images)))
        self.train, self.test = images[apart:], images[:apart]

    def draw(self, n: int, size: int, train: bool, generator: torch.Generator) -> Tensor:
        """Return ``n`` patches ``(n, 3, size, size)`` uint8.

        Raises:
            UserError: the photographs are smaller.
        """
        images = self.train if train else self.test
        height, width = images.shape[-2:]
        if size > min(height, width):
            raise UserError(f"patches of {size} pixels do not fit into photographs of {height}x{width}")
        rows = torch.randint(len(images), (n,), generator=generator)
        tops = torch.randint(height - size + 1, (n,), generator=generator)
        lefts = torch.randint(width - size + 1, (n,), generator=generator)
        steps = torch.arange(size)
        down, across = (tops[:, None] + steps)[:, :, None], (lefts[:, None] + steps)[:, None, :]
        return images.permute(0, 2, 3, 1)[rows[:, None, None], down, across].permute(0, 3, 1, 2).contiguous()
