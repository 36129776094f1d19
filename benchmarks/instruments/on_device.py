"""A callback that keeps the images of a run on its device, where batches are picked and augmented too."""

from collections.abc import Callable, Iterator
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from datamodules.images.tensor_dataset import TensorImageDataset
from datamodules.images.vision import VisionDataModule


class DeviceBatches:
    """Batches ``(x, y)`` of images that lie on a device as bytes: x ``(B, C, H, W)`` float32 in [0, 1], y int64.

    It does not resume inside an epoch.

    Args:
        dataset: whose rows are taken.
        device: where they are kept.
        batch_size: rows of a batch.
        shuffle: in a new order each time, drawn on the device; else in the order of ``dataset``.
        drop_last: leave out a last batch that is smaller than the others.
        transform: of the images of a batch, on the device.
    """

    def __init__(
        self,
        dataset: TensorImageDataset,
        device: torch.device,
        batch_size: int,
        shuffle: bool = False,
        drop_last: bool = False,
        transform: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        rows = dataset.indices
        images, labels = (each if rows is None else each[rows] for each in (dataset.images, dataset.labels))
        self.images, self.labels = images.to(device), labels.to(device)
        self.batch_size, self.shuffle, self.drop_last = batch_size, shuffle, drop_last
        self.transform = transform

    def __len__(self) -> int:
        whole, rest = divmod(len(self.images), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        n, device = len(self.images), self.images.device
        order = torch.randperm(n, device=device) if self.shuffle else torch.arange(n, device=device)
        for rows in order.split(self.batch_size)[: len(self)]:
            x = self.images[rows].float() / 255
            yield (x if self.transform is None else self.transform(x)), self.labels[rows]


class OnDevice(pl.Callback):
    """Let a data module of images hand out ``DeviceBatches`` in place of its loaders; others keep theirs."""

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Replace the loaders of the data module, which was set up just before."""
        data = trainer.datamodule  # type: ignore[attr-defined]  # set by a connector
        if not isinstance(data, VisionDataModule):
            return

        def batches(name: str, **more: Any) -> Callable[[], Any]:
            def make() -> Any:
                found = getattr(data, name)
                device = trainer.strategy.root_device
                return DeviceBatches(found, device, data.batch_size, **more) if found is not None and len(found) else []

            return make

        train: dict[str, Any] = {"shuffle": True, "drop_last": data.drop_last, "transform": data.train_transform}
        data.train_dataloader = batches("train_set", **train)  # type: ignore[method-assign]  # that is what it is for
        data.val_dataloader = batches("val_set")  # type: ignore[method-assign]  # as above
        data.test_dataloader = batches("test_set")  # type: ignore[method-assign]  # as above
