"""Scores of translated fruit: whether it is taken for the other kind, and how much else has changed."""

from dataclasses import replace

import torch
from torch import Tensor

from benchmarks.context import Context
from benchmarks.programs import scores
from benchmarks.readers import accuracy, both, classifier_of
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules import TensorImageDataset
from dlmodules import CycleGAN


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does, then translate the test both ways.

    What is translated is read by a classifier of both domains' training images, and compared with what it was, wherever
    no fruit is.
    """
    record = scores.measure(row, seed, context)
    module = scores.trained_module(row, seed, context, record)
    assert isinstance(module, CycleGAN)
    data = scores.data_of_run(row, seed, context, record)
    reader = classifier_of(both(data.train_set.a, data.train_set.b), num_classes=2, seed=seed)
    metrics = {"own_labels": accuracy(reader, both(data.test_set.a, data.test_set.b))}
    for direction, images, masks in (
        ("a2b", data.test_set.a, data.a.masks),
        ("b2a", data.test_set.b, data.b.masks),
    ):
        x, _ = images.__getitems__(range(len(images)))
        with torch.no_grad():
            translated = torch.cat([module.translate(part, direction) for part in torch.split(x, 100)])
        wanted = torch.full((len(x),), int(direction == "a2b"))
        bytes_of = (translated * 255).round().byte()
        metrics[f"read_{direction}"] = accuracy(reader, TensorImageDataset(bytes_of, wanted))
        metrics[f"background_{direction}"] = background_error(x, translated, masks)
    metrics["background"] = (metrics["background_a2b"] + metrics["background_b2a"]) / 2
    metrics["read"] = (metrics["read_a2b"] + metrics["read_b2a"]) / 2
    return replace(record, metrics={**record.metrics, **metrics})


def background_error(before: Tensor, after: Tensor, masks: Tensor) -> float:
    """Return the mean distance of a pixel where no fruit is.

    Args:
        before: images ``(N, C, H, W)`` in [0, 1].
        after: their translations.
        masks: ``(N, 1, H, W)``, 0 where there is none.
    """
    outside = (masks == 0).expand_as(before)
    return float((before - after).abs()[outside].mean())
