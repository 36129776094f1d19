"""Faces with attributes, in CelebA's layout."""

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from datamodules.base.sampling import Transform
from datamodules.images.attribute_table import AttributeTable, read_attributes, read_splits
from datamodules.images.image_files import Listing, is_image
from datamodules.images.image_folder import ImageFolderDataModule
from datamodules.images.tensor_dataset import TensorImageDataset
from dlmodules.errors import UserError


class CelebADataModule(ImageFolderDataModule):
    """Images of a folder and a table of their attributes, as CelebA has them: their central squares, resized.

    The folder holds ``img_align_celeba/``, ``list_attr_celeba.txt`` and perhaps ``list_eval_partition.txt``, which
    are to be downloaded from https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html by hand and unpacked; or your own
    images and your own table in that form or as CSV. Batches ``(x, y)``: x ``(B, C, H, W)`` float32 in [0, 1], y
    ``(B, A)`` int64, 0 or 1 for each attribute. The images are decoded once and kept in a cache file.

    Args:
        folder: the folder.
        attributes: names of the attributes, in the order of ``y``; None for all of the table.
        image_size: height and width in pixels; smaller images are enlarged.
        channels: 3 for colour, 1 for grey.
        batch_size: images per batch, 1 or more.
        images: the folder of the images in ``folder``.
        table: the table of attributes in ``folder``; ``.csv`` with a heading ``file,attribute,...``, or CelebA's form.
        val_fraction: share of the images for validation, in [0, 1), where there is no ``list_eval_partition.txt``.
        test_fraction: share of the images for the test, likewise. They are the same for every ``seed``.
        on_corrupt: ``raise`` to stop at an image that cannot be read, ``skip`` to leave it out and warn.
        cache_dir: where the cache is kept; where None, ``.dlmodules_cache`` in the folder of the images, and if that
            cannot be written, ``dlmodules`` in ``$XDG_CACHE_HOME`` or ``~/.cache``.
        num_workers: processes that make batches; 0, in the main process, is fastest for images in memory.
        seed: fixes the split and the order of training batches, whatever else draws random numbers.
        drop_last: leave out an epoch's last training batch where it is smaller than the others.
        train_transform: augmentation, applied to the whole ``x`` of a training batch.
        pin_memory: copy batches to pinned memory, for transfers to a GPU.
        limit_train: use only so many training images; all where None.

    Raises:
        UserError: for a number out of range, a file or folder that is missing, a table that is damaged or lacks an
            attribute, images and table that disagree, and an image that cannot be read.
    """

    def __init__(
        self,
        folder: str,
        attributes: Sequence[str] | None = None,
        image_size: int = 64,
        channels: int = 3,
        batch_size: int = 128,
        images: str = "img_align_celeba",
        table: str = "list_attr_celeba.txt",
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
    ) -> None:
        super().__init__(
            folder=folder,
            image_size=image_size,
            channels=channels,
            batch_size=batch_size,
            val_fraction=val_fraction,
            test_fraction=test_fraction,
            on_corrupt=on_corrupt,
            cache_dir=cache_dir,
            num_workers=num_workers,
            seed=seed,
            drop_last=drop_last,
            train_transform=train_transform,
            pin_memory=pin_memory,
            limit_train=limit_train,
        )
        self.attributes = attributes
        self.images = images
        self.table = table

    @cached_property
    def attribute_table(self) -> AttributeTable:
        """The table, read when first asked for."""
        return read_attributes(self.folder / self.table, self.attributes)

    @property
    def attribute_names(self) -> list[str]:
        """Names of the attributes, in the order of ``y``."""
        return list(self.attribute_table.names)

    @cached_property
    def listing(self) -> Listing:
        """The images of the table, in its order."""
        root = self.folder / self.images
        if not root.is_dir():
            raise UserError(f"there is no folder {root}: unpack the images there, or name their folder as images")
        found = {path.name for path in root.iterdir() if is_image(path.name)}
        known = self.attribute_table.rows
        if missing := [file for file in known if file not in found]:
            raise UserError(
                f"{self.table} and {root} disagree: {len(missing)} of {len(known)} images of the table are not in the"
                f" folder, {missing[0]} first"
            )
        if unknown := sorted(found - known.keys()):
            raise UserError(
                f"{self.table} and {root} disagree: {len(unknown)} of {len(found)} images of the folder are not in the"
                f" table, {unknown[0]} first"
            )
        splits = read_splits(self.folder / "list_eval_partition.txt")
        if splits and (absent := [file for file in known if file not in splits]):
            raise UserError(f"list_eval_partition.txt does not say where {absent[0]} belongs")
        files = list(known)
        return Listing(root, [], files, [0] * len(files), [splits.get(file, "") for file in files])

    @property
    def num_classes(self) -> int:
        """An attribute is 0 or 1."""
        return 2

    def _dataset(self, rows: Tensor) -> TensorImageDataset:
        images, kept = self.pixels()
        attributes = torch.tensor([self.attribute_table.rows[file] for file in self.listing.files])
        return self.subset(images, attributes[kept], rows)
