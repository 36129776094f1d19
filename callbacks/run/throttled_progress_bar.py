"""A progress bar that costs a run nothing."""

import time
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import RichProgressBar

INTERVAL = 0.1  # seconds; the terminal shows no more


class ThrottledProgressBar(RichProgressBar):
    """Lightning's progress bar, which draws itself and reads all metrics after every batch, ten times a second at most.

    With a small network that is a good part of the step. The last batch of an epoch is always drawn.
    """

    _drawn = float("-inf")

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Draw, unless that was done a moment ago."""
        now = time.monotonic()
        if now - self._drawn < INTERVAL and batch_idx + 1 < trainer.num_training_batches:
            return
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
        self._drawn = now
