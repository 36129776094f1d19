"""Images in memory as bytes, returned in batches."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.protocols import Batch


class TensorImageDataset(Dataset[Batch]):
    """A dataset in memory: uint8 images and int64 labels, batched by one index operation.

    A ``DataLoader`` that finds ``__getitems__`` asks for a whole batch at once, which is what makes
    this many times faster than one call per image.

    Args:
        images: ``(N, C, H, W)`` uint8.
        labels: ``(N,)`` int64, or ``(N, A)`` for A attributes of an image.
        indices: the rows that belong to this dataset, ``(M,)`` int64, in its order; all rows where None.
            The images are shared, not copied.
        num_classes: labels must lie in ``[0, num_classes)``; where None, they only must not be negative.

    Raises:
        UserError: where shapes or types differ from the above, or a label lies outside its range.
    """

    def __init__(
        self, images: Tensor, labels: Tensor, indices: Tensor | None = None, num_classes: int | None = None
    ) -> None:
        if images.dtype != torch.uint8 or images.dim() != 4:
            raise UserError(f"images must be uint8 (N, C, H, W), not {images.dtype} {tuple(images.shape)}")
        if labels.dtype != torch.int64 or labels.dim() not in (1, 2) or labels.shape[:1] != images.shape[:1]:
            wanted = f"int64 ({len(images)},), one per image"
            raise UserError(f"labels must be {wanted}, not {labels.dtype} {tuple(labels.shape)}")
        self.images = images.contiguous()
        self.labels = labels.contiguous()
        self.indices = indices
        self.num_classes = num_classes
        self._check_labels()

    def _check_labels(self) -> None:
        bad = self.labels < 0
        if self.num_classes is not None:
            bad |= self.labels >= self.num_classes
        if bad.any():
            row, value = int(bad.nonzero()[0, 0]), int(self.labels[bad][0])
            allowed = "0 or more" if self.num_classes is None else f"0 to {self.num_classes - 1}"
            raise UserError(f"label {value} of image {row} is out of range; labels are {allowed}")

    def selected(self) -> tuple[Tensor, Tensor]:
        """Return the images ``(M, C, H, W)`` uint8 and the labels of the rows that belong to this dataset."""
        if self.indices is None:
            return self.images, self.labels
        return self.images[self.indices], self.labels[self.indices]

    def __len__(self) -> int:
        return len(self.images) if self.indices is None else len(self.indices)

    @override
    def __getitem__(self, index: int) -> Batch:
        """Return one image ``(C, H, W)`` float32 in [0, 1] and its label ``()`` int64."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"image {index} of {len(self)}")
        x, y = self.__getitems__([index % len(self)])
        return x[0], y[0]

    def __getitems__(self, indices: Sequence[int] | Tensor) -> Batch:
        """Return images ``(B, C, H, W)`` float32 in [0, 1] and labels ``(B,)`` or ``(B, A)`` int64."""
        # NumPy works in this thread alone: as fast as torch with one thread, and many times faster than torch
        # with several where other processes keep the cores busy, since those wait for each other.
        rows = np.asarray(indices, dtype=np.int64)
        if self.indices is not None:
            rows = self.indices.numpy().take(rows)
        x = torch.empty(len(rows), *self.images.shape[1:], dtype=torch.float32)
        # Divided, not multiplied by 1 / 255: so the values are bit for bit those of torchvision's ToTensor.
        np.true_divide(self.images.numpy().take(rows, axis=0), 255, out=x.numpy(), dtype=np.float32)
        return x, torch.from_numpy(self.labels.numpy().take(rows, axis=0))
