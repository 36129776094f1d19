"""The likelihood of a VAE's test images, estimated with an increasing number of codes for each."""

from dataclasses import replace

import torch

from benchmarks.context import Context
from benchmarks.programs import scores
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules import BinarizedMNISTDataModule
from dlmodules import VAE

BATCH_SIZE = 100


@torch.no_grad()
def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does, then estimate the likelihood of its first images with other numbers."""
    record = scores.measure(row, seed, context)
    module = scores.trained_module(row, seed, context, record)
    assert isinstance(module, VAE)
    device = context.device or "cpu"
    module.to(device)
    images, _ = BinarizedMNISTDataModule().load(train=False)
    x = images[: 20 if context.quick else row.options["images"]].to(device).float() / 255
    found = {}
    for codes in (5,) if context.quick else row.options["codes"]:
        torch.manual_seed(seed)
        parts = [module.log_likelihood((part, part), codes) for part in x.split(BATCH_SIZE)]
        found[f"test/nll_{codes}"] = -float(torch.cat(parts).mean())
    return replace(record, metrics={**record.metrics, **found})
