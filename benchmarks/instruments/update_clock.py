"""A callback that measures the time of training steps and the memory of their process."""

import json
import resource
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from benchmarks.instruments.peak import peak_gib

WARMUP = 20  # steps in which memory is taken and kernels are chosen


class UpdateClock(pl.Callback):
    """Write what a training step costs to a file when the training ends: ``{"cpu_ms": ..., "peak_gib": ...}``.

    ``cpu_ms`` is the processor time, not the wall time, of a mean step without what callbacks and data do between
    steps, so that it is about the same on a busy machine; ``peak_gib`` the largest resident set of the process.

    Args:
        result: file of the result.
        skip: further first steps that do not count.
    """

    def __init__(self, result: str, skip: int = 0) -> None:
        self.result = Path(result)
        self.skip = WARMUP + skip
        self.seconds = 0.0
        self.steps = 0
        self._begin = 0.0

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, _: int) -> None:
        """Start the clock."""
        self._begin = time.process_time()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop it."""
        if trainer.global_step > self.skip:
            self.seconds += time.process_time() - self._begin
            self.steps += 1

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the result."""
        cpu_ms = 1000 * self.seconds / max(1, self.steps)
        found = {"cpu_ms": cpu_ms, "peak_gib": peak_gib(resource.RUSAGE_SELF)}
        self.result.write_text(json.dumps(found))
