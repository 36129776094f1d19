"""Folders of the user's own images."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from typing_extensions import override

from datamodules.base.in_memory import permutation
from datamodules.images.digits import DigitsDataModule
from datamodules.images.image_cache import cached_pixels
from datamodules.images.image_files import Listing, list_images
from datamodules.images.splits import rows_of_splits
from datamodules.images.tensor_dataset import TensorImageDataset
from datamodules.images.vision import VisionDataModule, square_shape
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_fractions_apart


class ImageFolderDataModule(VisionDataModule):
    """Images of any size in a folder: their central squares, resized.

    The folder holds ``<class>/*``, or ``{train,val,test}/<class>/*``, or images without classes (label 0)
    in place of the class folders; they are png, jpg, jpeg, webp or bmp. The first start decodes them and
    keeps them in a cache file; later starts map that into memory, until a file or an option changes.

    Args:
        folder: the folder of images.
        image_size: height and width in pixels; smaller images are enlarged.
        channels: 3 for colour, 1 for grey.
        val_fraction: fraction of the images for validation, in [0, 1), where the folder does not tell which are.
        test_fraction: fraction of the images for the test, in [0, 1), likewise. They are the same for every ``seed``.
        on_corrupt: ``raise`` to stop at an image that cannot be read, ``skip`` to leave it out and warn.
        cache_dir: where the cache is kept; where None, ``.dlmodules_cache`` in the folder of the images, and if that
            cannot be written, ``dlmodules`` in ``$XDG_CACHE_HOME`` or ``~/.cache``.
        classes: names of the classes whose images are used, in the order of their labels; all where None.
        join_splits: take the folder's own sets for one, from which ``val_fraction`` and ``test_fraction`` are taken.
        **kwargs: of ``VisionDataModule``, all but ``val_size`` and ``data_dir``.

    Raises:
        UserError: for a number out of range, a folder that is missing, empty or not laid out as above, a class that
            it lacks, and an image that cannot be read.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"batch_size": 8, "image_size": 64, "channels": 3}

    def __init__(
        self,
        folder: str,
        image_size: int = 64,
        channels: int = 3,
        *,
        val_fraction: float = 0.1,
        test_fraction: float = 0.1,
        on_corrupt: Literal["raise", "skip"] = "raise",
        cache_dir: str | None = None,
        classes: Sequence[str] | None = None,
        join_splits: bool = False,
        **kwargs: Any,
    ) -> None:
        check_fractions_apart(val_fraction, test_fraction)
        if on_corrupt not in ("raise", "skip"):
            raise UserError(f"on_corrupt is {on_corrupt!r}; it must be raise or skip")
        super().__init__(val_size=val_fraction, data_dir=None, **kwargs)
        self.image_shape = square_shape(image_size, channels)
        self.folder = Path(folder).expanduser()
        self.val_fraction = val_fraction
        self.test_fraction = test_fraction
        self.on_corrupt = on_corrupt
        self.cache_dir = cache_dir
        self.classes = classes
        self.join_splits = join_splits
        self._pixels: tuple[Tensor, Tensor] | None = None

    @cached_property
    def listing(self) -> Listing:
        """The images of the folder that are used, looked up when first asked for."""
        found = list_images(self.folder)
        if self.classes is not None:
            found = found.only(self.classes)
        return replace(found, splits=[""] * len(found.files)) if self.join_splits else found

    @property
    @override
    def class_names(self) -> list[str]:
        """Names of the class folders, sorted or as ``classes`` orders them; the folder's own name where it has none."""
        return self.listing.class_names

    @override
    def prepare_data(self) -> None:
        """Decode the images into the cache, where it does not hold them."""
        self.pixels()

    def pixels(self) -> tuple[Tensor, Tensor]:
        """Return the images ``(N, C, H, W)`` uint8 that could be read, and their rows in ``listing``."""
        if self._pixels is None:
            channels, size, _ = self.image_shape
            self._pixels = cached_pixels(self.listing, size, channels, self.on_corrupt == "skip", self.cache_dir)
        return self._pixels

    def rows(self) -> dict[str, Tensor]:
        """Return the rows of the images, as ``pixels`` orders them, that belong to train, val and test."""
        kept = self.pixels()[1]
        splits = [self.listing.splits[row] for row in kept.tolist()]
        rows, n = rows_of_splits(splits, self.val_fraction, self.test_fraction, self.seed)
        pool = rows["train"]
        if len(pool) == 0:
            raise UserError(f"the {n} images of {self.folder} are too few for train, val and test; add some")
        rows["train"] = pool[permutation(len(pool), self.seed)]
        return rows

    @override
    def make_train_and_val(self) -> tuple[TensorImageDataset, TensorImageDataset]:
        rows = self.rows()
        return self._dataset(rows["train"][: self.limit_train]), self._dataset(rows["val"])

    @override
    def make_test(self) -> TensorImageDataset:
        return self._dataset(self.rows()["test"])

    def _dataset(self, rows: Tensor) -> TensorImageDataset:
        images, kept = self.pixels()
        return self.subset(images, torch.tensor(self.listing.labels)[kept], rows)

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give digits in three channels."""
        return DigitsDataModule
