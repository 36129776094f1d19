"""Reference values of FID, KID and class coverage: those of real images and of an untrained generator."""

import time
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from benchmarks.classifier import CLASSIFIER, named_classifier
from benchmarks.context import Context, row_record
from benchmarks.record import Record
from benchmarks.row import Row
from callbacks import GenerativeMetrics
from datamodules import MNISTDataModule
from dlmodules import DCGAN


class RealImages(pl.LightningModule):
    """Samples the images that it is given, each once at most.

    Args:
        images: ``(N, C, H, W)`` uint8.
    """

    def __init__(self, images: Tensor, seed: int) -> None:
        super().__init__()
        self.images = images
        self.image_shape = tuple(images.shape[1:])
        self.order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
        self.drawn = 0

    def sample(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Return the next ``n`` images in [0, 1]."""
        rows = self.order[self.drawn : self.drawn + n]
        self.drawn += n
        return self.images[rows].float() / 255

    def test_step(self, batch: Any, batch_idx: int) -> None:
        """Do nothing: the real images of the test are collected by the callback."""


def measure(row: Row, seed: int, context: Context) -> Record:
    """Measure the reference that ``row`` names."""
    begin = time.perf_counter()
    pl.seed_everything(seed, verbose=False)
    data = MNISTDataModule(batch_size=500)
    module: pl.LightningModule
    if row.options["reference"] == "real":
        data.setup("fit")
        assert data.train_set is not None
        module = RealImages(data.train_set.selected()[0], seed)
    else:
        module = DCGAN(width=0.25)
    scores = GenerativeMetrics(CLASSIFIER, num_samples=500 if context.quick else 10_000, seed=seed)
    trainer = pl.Trainer(
        accelerator="cpu",
        logger=False,
        callbacks=[scores],
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=context.folder(row, seed),
        limit_test_batches=2 if context.quick else None,
    )
    found = trainer.test(module, data, verbose=False)[0]
    metrics = {figure.key: float(found[figure.key.removesuffix("@last")]) for figure in row.figures}
    protocol = row.protocol + named_classifier()
    return row_record(row, seed, begin, metrics=metrics, protocol=protocol)
