"""Scores of translated digits: what they are read as, and what a classifier learns from them of the other domain."""

from dataclasses import replace
from typing import Any

import pytorch_lightning as pl
import torch
import yaml
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchmetrics.functional.classification import multiclass_confusion_matrix

from benchmarks.context import Context, run_command, silent_trainer
from benchmarks.data.pictures import PHOTOS, found
from benchmarks.programs import scores
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules import TensorImageDataset
from dlmodules import CNNClassifier, CycleGAN
from dlmodules.checkpoints.loading import load_module
from dlmodules_cli.runs import versions

READERS = {
    "MNISTDataModule": ("cnn_digits_32", ()),
    "StreetDigitsDataModule": ("cnn_street_digits", ("--data.init_args.photos",)),
    "MNISTMDataModule": (
        "cnn_digits_32",
        ("--data", "datamodules.MNISTMDataModule", "--data.init_args.image_size", "32", "--data.init_args.photos"),
    ),
}
"""A configuration of what reads the images of a data module, and its arguments before the photographs."""
TRANSLATED, EPOCHS = 20_000, 3
"""Training images that are translated, and how often the classifier of the other domain sees each."""


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does, with a classifier of its first domain where it takes one.

    Then translate its first domain: the test, to be read by a classifier of the second domain, which knows its labels;
    and images of the training, for a classifier of the second domain that learns from them alone.
    """
    assert row.config is not None
    described = yaml.safe_load((scores.ROOT / row.config).read_text())
    kinds = [described["data"]["init_args"][domain]["class_path"].rpartition(".")[2] for domain in "ab"]
    readers = [reader(kind, context) for kind in kinds]
    if row.system == "CyCADA":
        args = (*row.options.get("args", ()), "--model.init_args.classifier", readers[0])
        given = replace(row, options={**row.options, "args": args})
    else:
        given = row
    record = scores.measure(given, seed, context)
    module = scores.trained_module(given, seed, context, record)
    assert isinstance(module, CycleGAN)
    data = scores.data_of_run(given, seed, context, record)
    of_a, of_b = (load_module(path) for path in readers)
    test_a, test_b = data.test_set.a, data.test_set.b
    translated = translate(module, test_a, len(test_a))
    confusion = multiclass_confusion_matrix(read_by(of_b, translated), translated.labels, num_classes=10)
    seen = translate(module, data.train_set.a, 200 if context.quick else TRANSLATED)
    learned = classifier_of(seen, num_classes=10, seed=seed)
    metrics = {
        "read_a2b": accuracy(of_b, translated),
        "flips": flips(confusion),
        "adapted": accuracy(learned, test_b),
        "source_only": accuracy(of_a, test_b),
        "own_labels": accuracy(of_b, test_b),
    }
    details = {**record.details, "read as, by true digit": confusion.tolist()}
    args = [str(word) for word in row.options.get("args", ())]  # without folders of this machine
    return replace(record, metrics={**record.metrics, **metrics}, details=details, args=args)


def reader(kind: str, context: Context) -> str:
    """Return the checkpoint of a classifier of the images of ``kind``, trained here where it is not there yet."""
    config, before = READERS[kind]
    folder = context.work / f"reader-of-{kind}"
    if not list(folder.glob("*/version_*/checkpoints/last.ckpt")):
        fit = ["train.py", "fit", "--config", f"configs/classifiers/{config}.yaml"]
        fit += [*before, found(PHOTOS)] if before else []
        fit += ["--trainer.default_root_dir", str(folder)]
        fit += ["--trainer.max_epochs", "1", "--trainer.limit_train_batches", "5"] if context.quick else []
        folder.mkdir(parents=True, exist_ok=True)
        run_command(fit, context, folder / "log.txt")
    return str(versions(folder / config)[-1] / "checkpoints" / "last.ckpt")


@torch.no_grad()
def translate(module: CycleGAN, images: TensorImageDataset, n: int) -> TensorImageDataset:
    """Return the first ``n`` images of a domain in the other one, with their labels."""
    found, labels = [], []
    for start in range(0, min(n, len(images)), 500):
        x, y = images.__getitems__(range(start, min(start + 500, n, len(images))))
        found.append((module.translate(x) * 255).round().byte())
        labels.append(y)
    return TensorImageDataset(torch.cat(found), torch.cat(labels))


def classifier_of(images: TensorImageDataset, num_classes: int, seed: int) -> LightningModule:
    """Return a classifier that has seen ``images`` alone, each of them ``EPOCHS`` times."""
    pl.seed_everything(seed, verbose=False)
    module = CNNClassifier(images.images.shape[1:], num_classes)
    order = torch.Generator().manual_seed(seed)
    trainer = silent_trainer(EPOCHS)
    # The images come as whole batches.
    loader: DataLoader[Any] = DataLoader(images, batch_size=64, shuffle=True, generator=order, collate_fn=_as_it_is)
    trainer.fit(module, loader)
    return module.eval()


def _as_it_is(batch: Any) -> Any:
    return batch


@torch.no_grad()
def read_by(classifier: nn.Module, images: TensorImageDataset) -> Tensor:
    """Return the classes ``(N,)`` that a classifier takes images for."""
    rows = torch.arange(len(images)).split(500)  # type: ignore[no-untyped-call]
    return torch.cat([classifier(images.__getitems__(part)[0]).argmax(dim=1) for part in rows])


def accuracy(classifier: nn.Module, images: TensorImageDataset) -> float:
    """Return the part of ``images`` that a classifier reads as their labels."""
    return float((read_by(classifier, images) == images.selected()[1]).float().mean())


def flips(confusion: Tensor) -> float:
    """Return how many of the ten digits are mostly read as another one.

    Args:
        confusion: counts ``(10, 10)``, a row for each true digit.
    """
    return float((confusion.argmax(dim=1) != torch.arange(len(confusion))).sum())
