"""Classifiers that read translated images, and other networks that a measurement needs beside its own."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader

from benchmarks.context import Context, run_command, silent_trainer
from datamodules import TensorImageDataset
from dlmodules import CNNClassifier
from dlmodules.training.allocator import keep_freed_memory
from dlmodules_cli.runs import versions


def trained(name: str, config: str, args: Sequence[str], context: Context) -> str:
    """Return the last checkpoint of a run of ``config`` in the folder ``name`` of the work folder.

    It is trained where the folder is not there yet.

    Args:
        name: of the folder: another one for other arguments.
        config: path of the configuration.
        args: what the run says other than that.
        context: has the work folder; where it is quick, a few batches are enough.
    """
    folder = context.work / name
    if not folder.is_dir():
        # Renamed when it is trained: what was interrupted is not taken for it.
        partial = folder.with_name(f"{name}.{os.getpid()}")
        partial.mkdir(parents=True, exist_ok=True)
        few = ["--trainer.max_epochs", "1", "--trainer.limit_train_batches", "5"] if context.quick else []
        fit = ["train.py", "fit", "--config", config, *args, "--trainer.default_root_dir", str(partial), *few]
        run_command(fit, context, partial / "log.txt")
        partial.rename(folder)
    return str(versions(folder / Path(config).stem)[-1] / "checkpoints" / "last.ckpt")


def trained_stage(config: str, seed: int, args: Sequence[str], context: Context, kind: str = "") -> str:
    """Return the last checkpoint of a run of ``config`` with ``seed``, see ``trained``; ``kind`` tells others apart."""
    named = ["--seed_everything", str(seed), *args]
    return trained(f"{Path(config).stem}{kind}-seed{seed}", config, named, context)


@torch.no_grad()
def made_of(images: TensorImageDataset, make: Callable[[Tensor], Tensor], n: int | None = None) -> TensorImageDataset:
    """Return what ``make`` makes of the first ``n`` images, or of all, with their labels.

    Args:
        images: of any shape.
        make: maps images ``(B, C, H, W)`` in [0, 1] to such, of any number of channels.
        n: how many; None for all.
    """
    found, labels = [], []
    for rows in torch.arange(len(images))[:n].split(500):  # type: ignore[no-untyped-call]
        x, y = images.__getitems__(rows)
        found.append((make(x) * 255).round().byte())
        labels.append(y)
    return TensorImageDataset(torch.cat(found), torch.cat(labels))


def both(a: TensorImageDataset, b: TensorImageDataset) -> TensorImageDataset:
    """Return the images of both domains, those of ``a`` with the label 0 and those of ``b`` with 1."""
    images = [part.selected()[0] for part in (a, b)]
    labels = torch.cat([torch.full((len(part),), label) for label, part in enumerate(images)])
    return TensorImageDataset(torch.cat(images), labels)


def classifier_of(images: TensorImageDataset, num_classes: int, seed: int, epochs: int = 3) -> LightningModule:
    """Return a classifier that has seen ``images`` alone, each of them ``epochs`` times."""
    keep_freed_memory()  # as train.py does: much faster
    pl.seed_everything(seed, verbose=False)
    module = CNNClassifier(images.images.shape[1:], num_classes)
    order = torch.Generator().manual_seed(seed)
    trainer = silent_trainer(epochs)
    # The images come as whole batches.
    loader: DataLoader[Any] = DataLoader(images, batch_size=64, shuffle=True, generator=order, collate_fn=as_it_is)
    trainer.fit(module, loader)
    return module.eval()


def as_it_is(batch: Any) -> Any:
    """Return what a dataset made as a whole batch."""
    return batch


@torch.no_grad()
def read_by(classifier: nn.Module, images: TensorImageDataset) -> Tensor:
    """Return the classes ``(N,)`` that a classifier takes images for."""
    rows = torch.arange(len(images)).split(500)  # type: ignore[no-untyped-call]
    return torch.cat([classifier(images.__getitems__(part)[0]).argmax(dim=1) for part in rows])


def accuracy(classifier: nn.Module, images: TensorImageDataset) -> float:
    """Return the part of ``images`` that a classifier reads as their labels."""
    return float((read_by(classifier, images) == images.selected()[1]).float().mean())
