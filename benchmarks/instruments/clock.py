"""A callback that times the epochs of a fit, and between them those of a hand-written loop."""

import json
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl


class EpochClock(pl.Callback):
    """Write the seconds of each epoch of the fit to a file, those of the loop beside them.

    An epoch of the fit lasts from its start to the start of the next or the end of the training. So
    whatever Lightning, loggers and checkpoints do between epochs counts, but the validation pass.

    Args:
        result: file of the result: ``{"fit": [...], "loop": [...], "returns": [...]}``.
        with_loop: before each epoch run one of the hand-written loop, in the same process.
        processor_time: whether the seconds are those of the processor in this process, all threads added up, which
            are about the same on a busy machine; else those of the clock on the wall.
    """

    def __init__(self, result: str, with_loop: bool = False, processor_time: bool = False) -> None:
        self.result = Path(result)
        self.with_loop = with_loop
        self.now = time.process_time if processor_time else time.perf_counter
        self.seconds: dict[str, list[float]] = {"fit": [], "loop": []}
        self._loop: Any = None
        self._begin: float | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Copy the networks for the loop."""
        if self.with_loop:
            from benchmarks.instruments.loops import hand_written_epoch

            data = trainer.datamodule  # type: ignore[attr-defined]  # set by fit
            self._loop = hand_written_epoch(pl_module, data, int(trainer.num_training_batches))

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """End the last epoch, run the loop's, begin the next."""
        self._end_epoch()
        if self._loop is not None:
            begin = self.now()
            self._loop()
            self.seconds["loop"].append(self.now() - begin)
        self._begin = self.now()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop the clock."""
        if self._begin is not None:
            self._begin -= self.now()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Let it run on; checkpoint callbacks, which come last, are counted."""
        if self._begin is not None:
            self._begin += self.now()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """End the last epoch and write."""
        self._end_epoch()
        data = trainer.datamodule  # type: ignore[attr-defined]  # set by fit
        returns = list(data.train_envs.recent_returns) if hasattr(type(data), "train_envs") else []
        self.result.write_text(json.dumps({**self.seconds, "returns": returns}))

    def _end_epoch(self) -> None:
        if self._begin is not None:
            self.seconds["fit"].append(self.now() - self._begin)
