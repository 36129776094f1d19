"""The learning curve of a ResNet-20, beside that of pytorchcv's network in a plain loop over the same data."""

import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.context import Context
from benchmarks.data import cifar10_jpeg
from benchmarks.programs import scores
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules import ImageFolderDataModule
from dlmodules.layers.augmentation import RandomShiftAndFlip
from dlmodules_cli.runs import versions


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does, then train the other network for as many epochs."""
    record = scores.measure(row, seed, context)
    assert row.config is not None
    run = versions(context.folder(row, seed) / Path(row.config).stem)[-1]
    ours = scores.curve(run / "metrics.csv", "val/accuracy")[: row.options["epochs"]]
    begin = time.perf_counter()
    other = peer_accuracies(row, seed, context)
    details = {"peer_seconds": round(time.perf_counter() - begin, 1), "ours": ours, "peer": other}
    metrics = {
        f"{name}_{epoch}": value
        for name, values in (("val/accuracy", ours), ("peer/accuracy", other))
        for epoch, value in enumerate(values, 1)
    }
    return replace(record, metrics={**record.metrics, **metrics}, details={**record.details, **details})


def peer_accuracies(row: Row, seed: int, context: Context) -> list[float]:
    """Return the validation accuracy of the other network after each epoch: the row's data, batches and optimizer."""
    # Here, since only this row needs the package.
    from pytorchcv.models.resnet_cifar import resnet20_cifar10

    torch.manual_seed(seed)
    torch.set_num_threads(context.threads)
    data = ImageFolderDataModule(
        str(cifar10_jpeg.folder(context)),
        image_size=32,
        batch_size=32,
        val_fraction=row.options["val_fraction"],
        seed=seed,
        train_transform=RandomShiftAndFlip(shift=0.1),
    )
    data.setup("fit")
    network: nn.Module = resnet20_cifar10().to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, eps=1e-7)
    loader = data.train_dataloader()
    batches = 5 if context.quick else None
    found = []
    for _ in range(1 if context.quick else row.options["epochs"]):
        network.train()
        for x, y in islice(loader, batches):
            loss = F.cross_entropy(network(x), y)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch has no types there
            optimizer.step()
        found.append(accuracy(network, data))
    return found


@torch.no_grad()
def accuracy(network: nn.Module, data: ImageFolderDataModule) -> float:
    """Return which fraction of the validation images the network reads right."""
    network.eval()
    loader = data.val_dataloader()
    assert not isinstance(loader, list)
    right = [(network(x).argmax(dim=1) == y).float() for x, y in loader]
    return float(torch.cat(right).mean())
