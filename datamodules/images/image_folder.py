"""Anyone's own images."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from datamodules.base.in_memory import permutation
from datamodules.base.sampling import Transform
from datamodules.images.digits import check_channels
from datamodules.images.image_cache import cached_pixels
from datamodules.images.image_files import Listing, list_images
from datamodules.images.tensor_dataset import TensorImageDataset
from datamodules.images.vision import VisionDataModule
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_at_least_one


class ImageFolderDataModule(VisionDataModule):
    """Images of any size in a folder: their central squares, resized.

    The folder holds ``<class>/*``, or ``{train,val,test}/<class>/*``, or images without classes (label 0)
    in place of the class folders; they are png, jpg, jpeg, webp or bmp. The first start decodes them and
    keeps them in a cache file; later starts map that into memory, until a file or an option changes.

    Args:
        folder: the folder of images.
        image_size: height and width in pixels; smaller images are enlarged.
        channels: 3 for colour, 1 for grey.
        batch_size: images per batch, 1 or more.
        val_fraction: share of the images for validation, in [0, 1), where the folder has no ``val``.
        test_fraction: share of the images for the test, in [0, 1), where the folder has no ``test``. They are
            the same for every ``seed``.
        on_corrupt: ``raise`` to stop at an image that cannot be read, ``skip`` to leave it out and warn.
        cache_dir: where the cache is kept; where None, ``.dlmodules_cache`` in ``folder``, and if that cannot
            be written, ``dlmodules`` in ``$XDG_CACHE_HOME`` or ``~/.cache``.
        num_workers: processes that make batches; 0, in the main process, is fastest for images in memory.
        seed: fixes the split and the order of training batches, whatever else draws random numbers.
        drop_last: leave out an epoch's last training batch where it is smaller than the others.
        train_transform: augmentation, applied to the whole ``x`` of a training batch, such as a transform of
            ``torchvision.transforms.v2`` (which draws once for the whole batch). What it draws from torch's
            generator depends on ``seed``, the epoch and the batch.
        pin_memory: copy batches to pinned memory, for transfers to a GPU.
        limit_train: use only so many training images; all where None.
        classes: names of the classes whose images are used, in the order of their labels; all where None.
        join_splits: take the folder's own sets for one, from which ``val_fraction`` and ``test_fraction`` are taken.

    Raises:
        UserError: for a number out of range, a folder that is missing, empty or not laid out as above, a class that
            it lacks, and an image that cannot be read.
    """

    def __init__(
        self,
        folder: str,
        image_size: int = 64,
        channels: int = 3,
        batch_size: int = 128,
        val_fraction: float = 0.1,
        test_fraction: float = 0.1,
        on_corrupt: Literal["raise", "skip"] = "raise",
        cache_dir: str | None = None,
        num_workers: int = 0,
        seed: int = 0,
        drop_last: bool = False,
        train_transform: Transform | None = None,
        pin_memory: bool = False,
        limit_train: int | None = None,
        classes: Sequence[str] | None = None,
        join_splits: bool = False,
    ) -> None:
        if val_fraction < 0 or test_fraction < 0 or val_fraction + test_fraction >= 1:
            raise UserError(
                f"val_fraction={val_fraction} and test_fraction={test_fraction} must not be negative, "
                "and together be less than 1"
            )
        if on_corrupt not in ("raise", "skip"):
            raise UserError(f"on_corrupt is {on_corrupt!r}; it must be raise or skip")
        super().__init__(
            batch_size=batch_size,
            val_size=val_fraction,
            num_workers=num_workers,
            seed=seed,
            drop_last=drop_last,
            train_transform=train_transform,
            pin_memory=pin_memory,
            limit_train=limit_train,
        )
        check_at_least_one(image_size=image_size)
        self.image_shape = (check_channels(channels), image_size, image_size)
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
    def class_names(self) -> list[str]:
        """Names of the class folders, sorted or as ``classes`` orders them; the folder's own name where it has none."""
        return self.listing.class_names

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
        pool = torch.tensor([row for row, split in enumerate(splits) if split in ("train", "")], dtype=torch.int64)
        given = {name: [row for row, split in enumerate(splits) if split == name] for name in ("val", "test")}
        rows, n = {name: torch.tensor(given[name], dtype=torch.int64) for name in given}, len(pool)
        # The test images first, and by a seed of their own: no change of seed may train on them.
        for name, fraction, seed in (("test", self.test_fraction, 0), ("val", self.val_fraction, self.seed)):
            if not given[name] and fraction > 0:
                order = permutation(len(pool), seed)
                count = max(1, round(n * fraction))
                rows[name], pool = pool[order[:count]], pool[order[count:]]
        if len(pool) == 0:
            raise UserError(f"the {n} images of {self.folder} are too few for train, val and test; add some")
        rows["train"] = pool[permutation(len(pool), self.seed)]
        return rows

    def make_train_and_val(self) -> tuple[TensorImageDataset, TensorImageDataset]:
        """Return the images of train and val."""
        rows = self.rows()
        return self._dataset(rows["train"][: self.limit_train]), self._dataset(rows["val"])

    def make_test(self) -> TensorImageDataset:
        """Return the images of test."""
        return self._dataset(self.rows()["test"])

    def _dataset(self, rows: Tensor) -> TensorImageDataset:
        images, kept = self.pixels()
        return self.subset(images, torch.tensor(self.listing.labels)[kept], rows)
