"""A progress bar with negligible cost."""

import time
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import RichProgressBar
from typing_extensions import override

INTERVAL = 0.1  # seconds; the terminal shows no more


class ThrottledProgressBar(RichProgressBar):
    """Lightning's progress bar, which refreshes and reads all metrics after every batch, ten times a second at most.

    With a small network that is a good part of the step. The last batch of an epoch is always shown.
    """

    _refreshed = float("-inf")

    @override
    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        now = time.monotonic()
        if now - self._refreshed < INTERVAL and batch_idx + 1 < trainer.num_training_batches:
            return
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
        self._refreshed = now
