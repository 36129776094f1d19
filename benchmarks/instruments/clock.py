"""Seconds of the processor: of the epochs of a fit, of a hand-written loop between them, of commands."""

import json
import resource
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl


def seconds_of_children() -> float:
    """Return the processor seconds of all processes that this one has started and waited for, with theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class EpochClock(pl.Callback):
    """Write the processor seconds of each epoch of the fit to a file, those of the loop beside them.

    They are of this process, all its threads added up, and about the same on a busy machine.

    An epoch of the fit lasts from its start to the start of the next or the end of the training. So
    whatever Lightning, loggers and checkpoints do between epochs counts, but the validation pass.

    Args:
        result: file of the result: ``{"fit": [...], "loop": [...], "returns": [...]}``.
        with_loop: before each epoch run one of the hand-written loop, in the same process.
    """

    def __init__(self, result: str, with_loop: bool = False) -> None:
        self.result = Path(result)
        self.with_loop = with_loop
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
            begin = time.process_time()
            self._loop()
            self.seconds["loop"].append(time.process_time() - begin)
        self._begin = time.process_time()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop the clock."""
        if self._begin is not None:
            self._begin -= time.process_time()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Let it run on; checkpoint callbacks, which come last, are counted."""
        if self._begin is not None:
            self._begin += time.process_time()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """End the last epoch and write."""
        self._end_epoch()
        data = trainer.datamodule  # type: ignore[attr-defined]  # set by fit
        returns = list(data.train_envs.recent_returns) if hasattr(type(data), "train_envs") else []
        self.result.write_text(json.dumps({**self.seconds, "returns": returns}))

    def _end_epoch(self) -> None:
        if self._begin is not None:
            self.seconds["fit"].append(time.process_time() - self._begin)
