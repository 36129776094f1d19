"""Scores of a network that gives pictures a style, beside what L-BFGS finds for each of the same pictures."""

import time
from dataclasses import replace

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from benchmarks.context import Context, silent_trainer
from benchmarks.programs import scores
from benchmarks.record import Record
from benchmarks.row import Row
from dlmodules import FastStyle, NeuralStyle
from dlmodules.style.module import Pictures

STEPS = 10
"""Steps of L-BFGS for each picture, of 20 evaluations."""


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does, then style some pictures of the test by L-BFGS for the same loss."""
    record = scores.measure(row, seed, context)
    if "pictures" not in row.options:
        return record
    module = scores.trained_module(row, seed, context, record)
    assert isinstance(module, FastStyle)
    data = scores.data_of_run(row, seed, context, record)
    style = data.test_set.style
    contents = [data.test_set[index][0][None] for index in range(1 if context.quick else row.options["pictures"])]
    own, found, seconds = [], [], []
    for content in contents:
        begin = time.process_time()
        with torch.no_grad():
            styled = module.stylize(content)
        between = time.process_time()
        picture = by_optimizer(module, content, style, 1 if context.quick else STEPS)
        seconds.append((between - begin, time.process_time() - between))
        targets = module.targets_of(Pictures(content, style))
        own.append(float(module.errors(styled, targets)["loss"]))
        found.append(float(module.errors(picture, targets)["loss"]))
    fast, slow = (sum(times) for times in zip(*seconds, strict=True))
    metrics = {
        "loss_of_optimizer": sum(found) / len(found),
        "loss_of_network": sum(own) / len(own),
        "loss_ratio": sum(own) / sum(found),
        "times_faster": slow / fast,
    }
    return replace(record, metrics={**record.metrics, **metrics})


def by_optimizer(module: FastStyle, content: Tensor, style: Tensor, steps: int) -> Tensor:
    """Return the picture ``(1, C, H, W)`` that L-BFGS finds from ``content`` for the loss of ``module``."""
    slow = NeuralStyle(
        module.image_shape,
        module.objective.network,
        module.content_layers,
        module.style_layers,
        content_weight=module.content_weight,
        style_weight=module.style_weight,
        variation_weight=module.variation_weight,
        formula=module.formula,
    )
    loader = DataLoader([(content, style)] * steps, batch_size=None)
    silent_trainer(1).fit(slow, loader)
    return slow.stylize(content)
