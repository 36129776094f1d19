"""How long a sequence may be that a pointer network still sorts."""

from dataclasses import replace

import torch

from benchmarks.context import Context
from benchmarks.programs import scores
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules import SortingDataModule
from dlmodules import PointerNetwork

LENGTHS = (5, 10, 15, 20)


@torch.no_grad()
def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does, then let the network sort sequences of other lengths."""
    record = scores.measure(row, seed, context)
    module = scores.trained_module(row, seed, context, record)
    assert isinstance(module, PointerNetwork)
    found = {f"exact_of_{length}": exact(module, length) for length in LENGTHS}
    return replace(record, metrics={**record.metrics, **found})


def exact(module: PointerNetwork, length: int) -> float:
    """Return the part of 2,000 test sequences of so many numbers whose whole order is found."""
    right = []
    for x, order in SortingDataModule(test_length=length).test_dataloader():
        right.append((module.order_of(x) == order).all(dim=1))
    return float(torch.cat(right).float().mean())
