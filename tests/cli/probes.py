"""Callbacks that tests give to a run by their import path."""

import os
import signal
from pathlib import Path
from typing import Any

import pytorch_lightning as pl


class InterruptAtStep(pl.Callback):
    """The user presses Ctrl-C, so many times: the terminal sends it to the workers too."""

    def __init__(self, step: int, times: int = 1) -> None:
        self.step = step
        self.times = times

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        os.setpgrp()  # what follows must not reach the test

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == self.step:
            for _time in range(self.times):
                os.killpg(0, signal.SIGINT)


class SignalOnce(pl.Callback):
    """The process gets a signal, ``KILL`` or ``INT``, at a step, where the file ``once`` is not there yet."""

    def __init__(self, step: int, once: str, signal: str) -> None:
        self.step, self.once, self.signal = step, Path(once), signal

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == self.step and not self.once.exists():
            self.once.touch()
            os.kill(os.getpid(), signal.Signals[f"SIG{self.signal}"])
