"""A progress bar with negligible cost."""

import time
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import RichProgressBar
from typing_extensions import override

from callbacks.run.console import once_each

INTERVAL = 0.25  # seconds


class ThrottledProgressBar(RichProgressBar):
    """Lightning's progress bar, which refreshes and reads all metrics after every batch, four times a second at most.

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

    @override
    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> Any:
        """Return the metrics without the run's version."""
        return once_each(super().get_metrics(trainer, pl_module))

    @override
    def _get_train_description(self, current_epoch: int) -> str:
        """Return "Epoch 3/29", or "Epoch 3" where steps end the training: Lightning, whose method it is, adds "/-2"."""
        described = super()._get_train_description(current_epoch)
        return described.replace("/-2", "") if self.trainer.max_epochs == -1 else described
