"""Scores of what translates images both ways: whether what is light stays light."""

from dataclasses import replace

import torch

from benchmarks.context import Context
from benchmarks.correlations import pixel_correlations
from benchmarks.programs import scores
from benchmarks.readers import made_of
from benchmarks.record import Record
from benchmarks.row import Row
from dlmodules import CycleGAN
from dlmodules.autoencoders.colorization import to_grey


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does, then compare how light the pixels of the test are before and after.

    ``lightness`` is the mean over both ways of each image's correlation, and ``inverted`` the part of the images of
    which it is negative.
    """
    record = scores.measure(row, seed, context)
    module = scores.trained_module(row, seed, context, record)
    assert isinstance(module, CycleGAN)
    data = scores.data_of_run(row, seed, context, record)
    found = []
    for direction, images in (("a2b", data.test_set.a), ("b2a", data.test_set.b)):
        translated = made_of(images, lambda x, way=direction: module.translate(x, way))
        before, after = (to_grey(x.selected()[0] / 255) for x in (images, translated))
        found.append(pixel_correlations(before, after))
    metrics = {
        "lightness": float(torch.cat(found).mean()),
        "inverted": float((torch.cat(found) < 0).float().mean()),
    }
    return replace(record, metrics={**record.metrics, **metrics})
