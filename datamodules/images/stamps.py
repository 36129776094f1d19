"""Things cut out, stamped on photographs: where each is, is known."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from datamodules.images.digits import DigitsDataModule
from datamodules.images.image_files import DECODE_ERRORS, is_image
from datamodules.images.photo_patches import PhotoPatches
from datamodules.images.vision import VisionDataModule, square_shape
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_at_least_one

SIZES = (0.4, 0.75)
"""The longer side of what is stamped, in parts of the image's."""


class StampsDataModule(VisionDataModule):
    """Photographs on which something is stamped, one of each: cut-outs with transparent edges, at any place.

    Batches are ``(x, y)``: images ``(B, 3, S, S)`` in [0, 1] and what is stamped. Cut-outs are mirrored, enlarged
    and moved at random. ``masks`` tells where they are, in the test set.

    Args:
        stamps: folder of cut-outs, images with transparency, in any folders below it.
        things: what is stamped: patterns of its files, such as ``food_fruit/apple_*.png``, by the name of the class.
        photos: folder of photographs, a fifth of which is for the test alone; None takes scikit-learn's two.
        cache_dir: where decoded photographs are kept; None beside them or, where that cannot be, in ``~/.cache``.
        train_size: images to train and validate.
        test_size: images of the test; they are the same for every ``seed``.
        image_size: height and width in pixels, 128 at most.
        **kwargs: of ``VisionDataModule``.

    Raises:
        UserError: for a number out of range, a pattern without a file, and what cannot be read.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"batch_size": 8, "channels": 3, "image_size": 16}

    def __init__(
        self,
        stamps: str,
        things: Mapping[str, Sequence[str]],
        *,
        photos: str | None = None,
        cache_dir: str | None = None,
        train_size: int = 4_400,
        test_size: int = 500,
        image_size: int = 64,
        val_size: int | float = 400,
        **kwargs: Any,
    ) -> None:
        check_at_least_one(train_size=train_size, test_size=test_size)
        super().__init__(val_size=val_size, **kwargs)
        self.image_shape = square_shape(image_size, 3)
        if not things:
            raise UserError("things is empty: name what is stamped, and the patterns of its files")
        self.stamps, self.things, self.photos, self.cache_dir = stamps, dict(things), photos, cache_dir
        self.sizes = {True: train_size, False: test_size}
        self.masks = torch.empty(0)

    @property
    @override
    def class_names(self) -> list[str]:
        """What is stamped, as ``things`` orders it."""
        return list(self.things)

    def files(self, name: str) -> list[Path]:
        """Return the files of the cut-outs of one class, sorted.

        Raises:
            UserError: there is none.
        """
        folder = Path(self.stamps).expanduser()
        found = sorted({path for pattern in self.things[name] for path in folder.glob(pattern) if is_image(path.name)})
        if not found:
            raise UserError(f"{folder} has no image {' or '.join(self.things[name])}, which things names for {name}")
        return found

    @override
    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Return images and classes; those of the test set their masks ``(N, 1, S, S)`` in [0, 1] too, as ``masks``."""
        size, n = self.image_shape[1], self.sizes[train]
        draw = torch.Generator().manual_seed(0 if train else 1)  # not self.seed: what is for the test stays so
        cutouts = [[read_cutout(path, 2 * size) for path in self.files(name)] for name in self.class_names]
        labels = torch.randint(len(cutouts), (n,), generator=draw)
        patches = PhotoPatches(self.photos, cache_dir=self.cache_dir).draw(n, 2 * size, train, draw).float() / 255
        images, masks = F.avg_pool2d(patches, 2), torch.zeros(n, 1, size, size)
        for row, label in enumerate(labels.tolist()):
            kinds = cutouts[label]
            stamp = kinds[int(torch.randint(len(kinds), (), generator=draw))]
            colour, alpha = placed(stamp, size, draw)
            images[row] = images[row] * (1 - alpha) + colour
            masks[row] = alpha
        if not train:
            self.masks = masks
        return (images * 255).round().byte(), labels

    @classmethod
    @override
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give digits in three channels."""
        return DigitsDataModule


def read_cutout(path: Path, longest: int) -> Tensor:
    """Return a cut-out ``(4, H, W)`` in [0, 1]: red, green and blue times its opacity, and that; nothing around it.

    Raises:
        UserError: it cannot be read, or is not transparent anywhere, or everywhere.
    """
    from PIL import Image

    try:
        with Image.open(path) as file:
            image = file.convert("RGBA")
    except DECODE_ERRORS as error:
        raise UserError(f"{path} cannot be read as an image ({error})") from error
    box = image.getchannel("A").getbbox()
    if box is None or image.getchannel("A").getextrema()[0] == 255:
        raise UserError(f"{path} is no cut-out: it must be transparent around what it shows")
    image = image.crop(box)
    image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    pixels = torch.from_numpy(np.asarray(image, dtype=np.float32) / 255).permute(2, 0, 1)
    return torch.cat([pixels[:3] * pixels[3:], pixels[3:]])


def placed(stamp: Tensor, size: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return a cut-out somewhere, in any size: colours ``(3, size, size)`` and opacity ``(1, size, size)``."""
    scale, across, down, turned = torch.rand(4, generator=draw).tolist()
    side = size * (SIZES[0] + scale * (SIZES[1] - SIZES[0])) / max(stamp.shape[1:])
    height, width = (max(1, round(side * length)) for length in stamp.shape[1:])
    shrunk = F.interpolate(stamp[None], size=(height, width), mode="bilinear", antialias=True)[0].clamp(0, 1)
    shrunk = shrunk.flip(2) if turned < 0.5 else shrunk
    top, left = round(down * (size - height)), round(across * (size - width))
    canvas = F.pad(shrunk, (left, size - left - width, top, size - top - height))
    return canvas[:3], canvas[3:]
