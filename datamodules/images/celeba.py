"""Faces with attributes, in CelebA's layout."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

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
        images: the folder of the images in ``folder``.
        table: the table of attributes in ``folder``; ``.csv`` with a heading ``file,attribute,...``, or CelebA's form.
        **kwargs: of ``ImageFolderDataModule``, all but ``classes`` and ``join_splits``; it is
            ``list_eval_partition.txt`` that may tell which images are for validation and for the test.

    Raises:
        UserError: for a number out of range, a file or folder that is missing, a table that is damaged or lacks an
            attribute, images and table that disagree, and an image that cannot be read.
    """

    def __init__(
        self,
        folder: str,
        attributes: Sequence[str] | None = None,
        *,
        images: str = "img_align_celeba",
        table: str = "list_attr_celeba.txt",
        **kwargs: Any,
    ) -> None:
        super().__init__(folder=folder, classes=None, join_splits=False, **kwargs)
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
    @override
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
    @override
    def num_classes(self) -> int:
        """An attribute is 0 or 1."""
        return 2

    @override
    def _dataset(self, rows: Tensor) -> TensorImageDataset:
        images, kept = self.pixels()
        attributes = torch.tensor([self.attribute_table.rows[file] for file in self.listing.files])
        return self.subset(images, attributes[kept], rows)
