"""Folders of the user's own pairs of images."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Literal

import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from typing_extensions import override

from datamodules.images.image_cache import cached_pixels
from datamodules.images.image_files import Half, Listing, list_images
from datamodules.images.splits import rows_of_splits
from datamodules.images.tensor_dataset import TensorImageDataset
from datamodules.images.vision import square_shape
from datamodules.pairs.derived import ShrunkPairsDataModule
from datamodules.pairs.image_pairs import ImagePairDataset, ImagePairsDataModule
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_fractions_apart

SideBySide = Literal["ab", "ba"]
HALVES: dict[SideBySide | None, tuple[Half, Half]] = {
    None: ("whole", "whole"),
    "ab": ("left", "right"),
    "ba": ("right", "left"),
}
"""What a file shows of ``a`` and of ``b``."""


class PairFolderDataModule(ImagePairsDataModule):
    """Pairs of images in a folder: their central squares, resized.

    ``folder/A`` and ``folder/B`` hold the two images of a pair under the same name, whatever their suffixes; both may
    have the folders ``train``, ``val`` and ``test`` in them. Or each file of ``folder`` shows both images side by side.
    Folders in place of the images are classes. The first start decodes the images into a cache file.

    Args:
        folder: the folder of pairs.
        image_size: height and width in pixels.
        channels_a: 3 for colour, 1 for grey.
        channels_b: likewise, of the other domain.
        side_by_side: ``ab`` where each file has ``a`` on its left half and ``b`` on its right one, ``ba`` the other way
            round; None where each image has a file.
        val_fraction: fraction of the pairs for validation, in [0, 1), where the folder does not tell which are.
        test_fraction: fraction of the pairs for the test, likewise. They are the same for every ``seed``.
        cache_dir: where the caches are kept; None beside the images or, where that cannot be, in ``~/.cache``.
        **kwargs: of ``ImagePairsDataModule``.

    Raises:
        UserError: for a number out of range, a folder that is missing or not laid out as above, an image without a
            partner, and one that cannot be read.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"batch_size": 8, "image_size": 16}

    def __init__(
        self,
        folder: str,
        image_size: int = 256,
        channels_a: int = 3,
        channels_b: int = 3,
        *,
        side_by_side: SideBySide | None = None,
        val_fraction: float = 0.1,
        test_fraction: float = 0.1,
        cache_dir: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if side_by_side not in HALVES:
            raise UserError(f"side_by_side is {side_by_side!r}; it must be ab or ba, or null")
        check_fractions_apart(val_fraction, test_fraction)
        self.folder = Path(folder).expanduser()
        self.source_shape, self.image_shape = (square_shape(image_size, n) for n in (channels_a, channels_b))
        self.side_by_side, self.cache_dir = side_by_side, cache_dir
        self.val_fraction, self.test_fraction = val_fraction, test_fraction

    @cached_property
    def sides(self) -> tuple[Listing, Listing]:
        """The files of ``a`` and of ``b``, pair for pair; looked up when first asked for."""
        if self.side_by_side is not None:
            both = list_images(self.folder)
            return both, both
        return matched(list_images(self.folder / "A"), list_images(self.folder / "B"))

    @property
    @override
    def class_names(self) -> list[str]:
        """Names of the class folders; one name where there are none."""
        return self.sides[0].class_names

    @override
    def prepare_data(self) -> None:
        """Decode the images into the cache, where it does not hold them."""
        _ = self.pixels

    @cached_property
    def pixels(self) -> tuple[Tensor, Tensor]:
        """The images of ``a`` and of ``b``, each ``(N, C, H, W)`` uint8; decoded when first asked for."""
        shapes = (self.source_shape, self.image_shape)
        a, b = (
            cached_pixels(listing, shape[1], shape[0], False, self.cache_dir, half)[0]
            for listing, shape, half in zip(self.sides, shapes, HALVES[self.side_by_side], strict=True)
        )
        return a, b

    def rows(self) -> dict[str, Tensor]:
        """Return the rows of the pairs of training, validation and test."""
        rows, n = rows_of_splits(self.sides[0].splits, self.val_fraction, self.test_fraction, self.seed)
        if len(rows["train"]) == 0:
            raise UserError(f"the {n} pairs of {self.folder} are too few for train, val and test; add some")
        return rows

    @override
    def make_train_and_val(self) -> tuple[ImagePairDataset, ImagePairDataset]:
        rows = self.rows()
        return self._pairs(rows["train"]), self._pairs(rows["val"])

    @override
    def make_test(self) -> ImagePairDataset:
        return self._pairs(self.rows()["test"])

    def _pairs(self, rows: Tensor) -> ImagePairDataset:
        labels = torch.tensor(self.sides[0].labels)
        a, b = (TensorImageDataset(images, labels, rows) for images in self.pixels)
        return ImagePairDataset(a, b, paired=True)

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give digits and shrunk copies of them."""
        return ShrunkPairsDataModule


def matched(a: Listing, b: Listing) -> tuple[Listing, Listing]:
    """Return both listings in the order of ``a``, pair for pair.

    Raises:
        UserError: an image of one has no partner in the other, or two.
    """
    places = [_by_stem(side) for side in (a, b)]
    for own, other, missing in ((0, 1, b), (1, 0, a)):
        if alone := sorted(places[own].keys() - places[other].keys()):
            raise UserError(f"{alone[0]} of {(a, b)[own].root} has no partner of that name in {missing.root}")
    order = [places[1][stem] for stem in _stems(a)]
    return a, Listing(
        b.root,
        b.class_names,
        [b.files[row] for row in order],
        [b.labels[row] for row in order],
        [b.splits[row] for row in order],
    )


def _stems(listing: Listing) -> list[str]:
    return [str(PurePosixPath(file).with_suffix("")) for file in listing.files]


def _by_stem(listing: Listing) -> dict[str, int]:
    found: dict[str, int] = {}
    for row, stem in enumerate(_stems(listing)):
        if stem in found:
            raise UserError(f"{listing.root} has two images {stem}: keep one")
        found[stem] = row
    return found
