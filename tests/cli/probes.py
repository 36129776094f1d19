"""Callbacks that tests give to a run by their import path."""

import os
import signal
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
