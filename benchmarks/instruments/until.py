"""How long an agent trains until it reaches a return."""

import json
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl


class Until(pl.Callback):
    """End the training where ``val/return`` is reached, and write the processor seconds, those of validation left out.

    Args:
        result: file of the result: ``{"seconds": ..., "steps": ..., "reached": ...}``.
        until: the return to reach.
    """

    def __init__(self, result: str, until: float) -> None:
        self.result, self.until = Path(result), until
        self.reached = False
        self._begin: float | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self._begin = time.process_time()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop the clock."""
        if self._begin is not None:
            self._begin -= time.process_time()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Let it run on, and see whether the return is reached."""
        if self._begin is not None:
            self._begin += time.process_time()
            self.reached = bool(trainer.callback_metrics["val/return"] >= self.until)
            trainer.should_stop = trainer.should_stop or self.reached

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Write."""
        assert self._begin is not None
        found = {"seconds": time.process_time() - self._begin, "steps": pl_module.env_steps, "reached": self.reached}
        self.result.write_text(json.dumps(found))
