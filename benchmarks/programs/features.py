"""Scores of a module, and of a logistic regression on its codes as features."""

from dataclasses import replace

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from torch.utils.data import DataLoader

from benchmarks.context import Context
from benchmarks.programs import scores
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules import MNISTDataModule
from dlmodules.protocols import Encodes


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does, then read the digits by the codes of its last checkpoint."""
    record = scores.measure(row, seed, context)
    module = scores.trained_module(row, seed, context, record)
    assert isinstance(module, Encodes)
    data = MNISTDataModule(batch_size=1000, seed=seed)
    data.setup("fit")
    data.setup("test")
    train = codes(module, data.train_dataloader(), 5 if context.quick else None)
    test = codes(module, data.test_dataloader())
    reader = LogisticRegression(max_iter=200).fit(train[0].numpy(), train[1].numpy())
    accuracy = float(reader.score(test[0].numpy(), test[1].numpy()))
    return replace(record, metrics={**record.metrics, "test/features": accuracy})


@torch.no_grad()
def codes(module: Encodes, loader: DataLoader[tuple[Tensor, Tensor]], batches: int | None = None) -> tuple[Tensor, ...]:
    """Return the codes and labels of a loader's first ``batches``; of all where None."""
    parts = [(module.encode(x), y) for _, (x, y) in zip(range(batches or len(loader)), loader, strict=False)]
    return tuple(torch.cat(part) for part in zip(*parts, strict=True))
