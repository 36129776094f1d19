"""Training batches of MNISTDataModule against torchvision's MNIST, image by image."""

import time
from typing import Any

import torch
from torch.utils.data import DataLoader, Subset

from benchmarks.context import Context, in_turn, speed_record
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules import MNISTDataModule

BATCH_SIZE = 128


def measure(row: Row, seed: int, context: Context) -> Record:
    """Compare images per second."""
    from torchvision.datasets import MNIST
    from torchvision.transforms import ToTensor

    begin = time.perf_counter()
    data = MNISTDataModule(batch_size=BATCH_SIZE)
    data.setup("fit")
    assert data.train_set is not None
    theirs = MNIST(data.data_dir, train=True, transform=ToTensor())
    least, images = (0.1, 1000) if context.quick else (3.0, len(data.train_set))
    loader = data.train_dataloader()
    per_sample = DataLoader(Subset(theirs, range(images)), batch_size=BATCH_SIZE, shuffle=True)
    return compare_loaders(row, seed, context, begin, loader, per_sample, least)


def compare_loaders(
    row: Row, seed: int, context: Context, begin: float, loader: Any, per_sample: Any, least: float
) -> Record:
    """Compare the images per second of two loaders, each timed for at least ``least`` seconds in turn."""
    for first in (loader, per_sample):
        next(iter(first))
    pairs = in_turn(context, lambda: images_per_second(loader, least), lambda: images_per_second(per_sample, least))
    return speed_record(row, seed, begin, pairs)


def images_per_second(loader: DataLoader[tuple[torch.Tensor, torch.Tensor]], least: float) -> float:
    """Go through ``loader``, whole epochs, for at least so many seconds of the processor."""
    images, begin = 0, time.process_time()
    while True:
        for x, _ in loader:
            images += len(x)
        elapsed = time.process_time() - begin
        if elapsed >= least:
            return images / elapsed
