"""Scores of translated digits: what they are read as, and what a classifier learns from them of the other domain."""

from dataclasses import replace
from typing import Any

import pytorch_lightning as pl
import torch
import yaml
from pytorch_lightning import LightningModule
from torch import Tensor
from torch.utils.data import DataLoader
from torchmetrics.functional.classification import multiclass_confusion_matrix

from benchmarks.context import Context, silent_trainer
from benchmarks.data.pictures import PHOTOS, found
from benchmarks.programs import scores
from benchmarks.readers import accuracy, as_it_is, classifier_of, made_of, read_by, trained
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules import TensorImageDataset
from datamodules.base.sampling import shuffled
from datamodules.pairs.image_pairs import ImagePairDataset, TwoOrders
from dlmodules import ADDA
from dlmodules.checkpoints.loading import load_module
from dlmodules.translation.module import TranslationModule

READERS = {
    "MNISTDataModule": ("cnn_digits_32", ()),
    "StreetDigitsDataModule": ("cnn_street_digits", ("--data.init_args.photos",)),
    "MNISTMDataModule": (
        "cnn_digits_32",
        ("--data", "datamodules.MNISTMDataModule", "--data.init_args.image_size", "32", "--data.init_args.photos"),
    ),
}
"""A configuration of what reads the images of a data module, and its arguments before the photographs."""
TRANSLATED = 20_000
"""Training images that are translated, for the classifier of the other domain."""
ADAPTED = 4_000
"""Updates of that classifier by its logits, of 128 images of each domain."""


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does, with a classifier of its first domain where it takes one.

    Then translate its first domain: the test, to be read by a classifier of the second domain, which knows its labels;
    and images of the training, for a classifier of the second domain that learns from them alone.
    """
    readers = [reader(kind, context) for kind in kinds_of(row)]
    given = with_classifier(row, readers[0]) if row.system == "CyCADA" else row
    record = scores.measure(given, seed, context)
    module = scores.trained_module(given, seed, context, record)
    assert isinstance(module, TranslationModule)
    data = scores.data_of_run(given, seed, context, record)
    of_a, of_b = (load_module(path) for path in readers)
    test_a, test_b = data.test_set.a, data.test_set.b
    translated = made_of(test_a, module.translate)
    confusion = multiclass_confusion_matrix(read_by(of_b, translated), translated.labels, num_classes=10)
    seen = made_of(data.train_set.a, module.translate, 200 if context.quick else TRANSLATED)
    learned = classifier_of(seen, num_classes=10, seed=seed)
    metrics = {
        "read_a2b": accuracy(of_b, translated),
        "flips": flips(confusion),
        "adapted": accuracy(learned, test_b),
        "source_only": accuracy(of_a, test_b),
        "own_labels": accuracy(of_b, test_b),
    }
    if any(figure.key == "logits_adapted" for figure in row.figures):
        adapted = adapted_by_logits(learned, seen, data.train_set.b, seed, context.quick)
        metrics["logits_adapted"] = accuracy(adapted, test_b)
    details = {**record.details, "read as, by true digit": confusion.tolist()}
    return replace(record, metrics={**record.metrics, **metrics}, details=details, args=own_arguments(row))


def kinds_of(row: Row) -> list[str]:
    """Return the names of the data modules of both domains."""
    assert row.config is not None
    described = yaml.safe_load((scores.ROOT / row.config).read_text())
    return [described["data"]["init_args"][domain]["class_path"].rpartition(".")[2] for domain in "ab"]


def with_classifier(row: Row, checkpoint: str) -> Row:
    """Return ``row`` with the checkpoint of a classifier of its first domain."""
    args = (*row.options.get("args", ()), "--model.init_args.classifier", checkpoint)
    return replace(row, options={**row.options, "args": args})


def own_arguments(row: Row) -> list[str]:
    """Return the arguments of ``row`` itself, without folders of this machine, as a record has them."""
    return [str(word) for word in row.options.get("args", ())]


def adapted_by_logits(
    classifier: LightningModule, seen: TensorImageDataset, others: TensorImageDataset, seed: int, quick: bool
) -> ADDA:
    """Return a classifier of ``seen`` images, adapted to ``others`` without their labels."""
    pl.seed_everything(seed, verbose=False)
    module = ADDA(classifier, image_shape=seen.images.shape[1:])
    pairs = ImagePairDataset(seen, others, paired=False)
    order = shuffled(pairs, seed, kind=TwoOrders)
    loader: DataLoader[Any] = DataLoader(pairs, batch_size=128, sampler=order, collate_fn=as_it_is)
    silent_trainer(-1, max_steps=2 if quick else ADAPTED).fit(module, loader)
    return module.eval()


def reader(kind: str, context: Context) -> str:
    """Return the checkpoint of a classifier of the images of ``kind``, trained here where it is not there yet."""
    config, before = READERS[kind]
    photos = (*before, found(PHOTOS)) if before else ()
    return trained(f"reader-of-{kind}", f"configs/classifiers/{config}.yaml", photos, context)


def flips(confusion: Tensor) -> float:
    """Return how many of the ten digits are mostly read as another one.

    Args:
        confusion: counts ``(10, 10)``, a row for each true digit.
    """
    return float((confusion.argmax(dim=1) != torch.arange(len(confusion))).sum())
