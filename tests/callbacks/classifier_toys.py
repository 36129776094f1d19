"""A classifier whose logits are known by hand, and data for it."""

from typing import Any

import torch
from pytorch_lightning import LightningDataModule, LightningModule
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from tests.callbacks.callback_toys import ImageLogger


class Reader(LightningModule):
    """Its logits are the first pixels of an image, times ten: the brightest of them is its class."""

    def __init__(self, num_classes: int = 3) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.scale = nn.Parameter(torch.tensor(10.0))
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return x.flatten(1)[:, : self.num_classes] * self.scale

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        # The loss has a gradient of zero, so the logits stay what they are.
        return 0.0 * F.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Any:
        return F.cross_entropy(self(batch[0]), batch[1])

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Any:
        return self.validation_step(batch, batch_idx)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)


def read_as(predicted: list[int], sureness: list[float] | None = None, size: int = 4) -> Tensor:
    """Images ``(N, 1, size, size)`` that ``Reader`` takes for ``predicted``; the pixel of the class is the sureness."""
    images = torch.zeros(len(predicted), 1, size, size)
    for row, (label, value) in enumerate(zip(predicted, sureness or [1.0] * len(predicted), strict=True)):
        images[row].view(-1)[label] = value
    return images


def batches(images: Tensor, labels: list[int], batch_size: int = 2) -> DataLoader[Any]:
    return DataLoader(TensorDataset(images, torch.tensor(labels)), batch_size)


class Named(LightningDataModule):
    """Loaders with names for the classes."""

    class_names = ("cat", "dog", "bird")

    def __init__(self, validation: DataLoader[Any], test: DataLoader[Any] | None = None) -> None:
        super().__init__()
        self.validation, self.test = validation, test

    def train_dataloader(self) -> DataLoader[Any]:
        return self.validation

    def val_dataloader(self) -> DataLoader[Any]:
        return self.validation

    def test_dataloader(self) -> DataLoader[Any]:
        assert self.test is not None
        return self.test


class TableLogger(ImageLogger):
    """Keeps the tables it is given, too."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[tuple[str, Any, Any, int]] = []

    def log_table(self, key: str, columns: list[str], data: list[Any], step: int) -> None:
        self.tables.append((key, columns, data, step))
