"""Callbacks that tests give to a run by their import path."""

import os
import signal
from typing import Any

import pytorch_lightning as pl
import torch


class KillAtStep(pl.Callback):
    """The process dies without a word in the middle of a training step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


class KillInWrite(pl.Callback):
    """The process dies while it writes a checkpoint: the bytes are there, the name is not."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == self.step:
            os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]


class TerminateAtStep(pl.Callback):
    """A scheduler asks the process to end."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == self.step:
            os.kill(os.getpid(), signal.SIGTERM)


class RanksAgree(pl.Callback):
    """At the end of a fit all processes have the same parameters, and they saw different data."""

    def __init__(self) -> None:
        self.seen = 0.0

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        # An agent's batch is a number: what it saw is what its environments show.
        seen = trainer.datamodule.train_envs.observation if isinstance(batch, int) else batch[0]
        self.seen += float(seen.sum())

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        mine = torch.cat([parameter.detach().flatten() for parameter in pl_module.parameters()])
        everyones = [torch.empty_like(mine) for _ in range(trainer.world_size)]
        torch.distributed.all_gather(everyones, mine)
        assert all(torch.equal(everyones[0], other) for other in everyones)
        seen = [torch.empty(1) for _ in range(trainer.world_size)]
        torch.distributed.all_gather(seen, torch.tensor([self.seen]))
        assert not torch.equal(seen[0], seen[1])
        if trainer.is_global_zero:
            print(f"{trainer.world_size} ranks agree after {trainer.global_step} steps")
