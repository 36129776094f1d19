"""When a checkpoint is written, and how it is written atomically."""

import errno
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO
from pytorch_lightning.trainer.states import TrainerFn
from typing_extensions import override

from dlmodules.checkpoints.atomic import write_whole
from dlmodules.checkpoints.loading import read_file
from dlmodules.checkpoints.replay_file import (
    LEFT_OUT,
    large_replay,
    locate_replay,
    new_replay_path,
    remove_replays,
    with_replay,
)
from dlmodules.checkpoints.replay_segments import Recorded, remove_unlisted, write_segments
from dlmodules.errors import UserError


class AtomicCheckpointIO(TorchCheckpointIO):
    """Write to a temporary file beside the target, then rename; read without unpickling.

    A kill, a full disk or a power cut in the middle leaves the old checkpoint as it was. A large replay buffer of an
    agent is in files of the folder ``replay`` beside the checkpoint (``dlmodules.checkpoints.replay_segments``), of
    which each checkpoint adds what is new. They are written first, then the checkpoint that names them, and then
    those are removed that no checkpoint names any more.

    Args:
        without_replay: names of checkpoints that are played, not resumed: a large replay buffer is left out of them.
    """

    takes_recorded = True
    """It is handed a large replay buffer itself, not a copy of all that is in it."""

    def __init__(self, without_replay: Sequence[str] = ("best.ckpt",)) -> None:
        super().__init__()
        self.without_replay = tuple(without_replay)

    @override
    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Write ``checkpoint``. Raises UserError when the disk is full or the folder cannot be written."""
        target = Path(path)
        replay_path = None
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            replay = large_replay(checkpoint)
            if replay is not None and target.name in self.without_replay:
                checkpoint = with_replay(checkpoint, LEFT_OUT)
            elif isinstance(replay, Recorded):
                checkpoint = with_replay(checkpoint, write_segments(replay, target))
            elif replay is not None:
                replay_path = new_replay_path(target, checkpoint["global_step"])
                write_whole(replay_path, partial(torch.save, replay))
                checkpoint = with_replay(checkpoint, {"file": replay_path.name})
            write_whole(target, partial(torch.save, checkpoint))
        except (OSError, RuntimeError) as error:
            if replay_path is not None:
                replay_path.unlink(missing_ok=True)
            remove_unlisted(target)
            if isinstance(error, RuntimeError) and not _is_write_failure(error):
                raise
            reason = _reason(error)
            kept = "the one before is intact" if target.exists() else "none was there before"
            raise UserError(f"cannot write checkpoint {target}: {reason}; {kept}") from error
        if "agent" in checkpoint:
            remove_replays(target, keep=replay_path)
            remove_unlisted(target)

    @override
    def load_checkpoint(
        self, path: Any, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a file of tensors and plain values; nothing in it is run.

        It need not be a checkpoint: processes that were forked hand their bare weights back through one.
        """
        content: dict[str, Any] = read_file(path, map_location)
        return locate_replay(content, Path(path).parent)

    @override
    def remove_checkpoint(self, path: Any) -> None:
        """Remove a checkpoint and what only it needs of replay buffers."""
        super().remove_checkpoint(path)
        remove_replays(Path(path))
        remove_unlisted(Path(path))


def _is_write_failure(error: RuntimeError) -> bool:
    # torch's zip writer reports a failed write of its stream as a RuntimeError of its own.
    return "PytorchStreamWriter failed" in str(error) or isinstance(error.__context__, OSError)


def _reason(error: BaseException) -> str:
    cause = error if isinstance(error, OSError) else error.__context__
    if isinstance(cause, OSError):
        return "the disk is full" if cause.errno == errno.ENOSPC else (cause.strerror or str(cause))
    return "the disk is full or gone"


class LastCheckpoint(Checkpoint):
    """Keep ``last.ckpt`` at a point from which the run continues exactly.

    It is written inside an epoch every ``every_n_seconds``, or every ``every_n_steps``, at the end of an
    epoch unless it is younger than ``min_seconds``, when the run ends, and on SIGTERM.

    Args:
        dirpath: folder of ``last.ckpt``; None takes ``checkpoints`` in the run folder.
        every_n_steps: write after every so many global steps; None leaves it to the clock.
        every_n_seconds: write when the last one is older than this.
        min_seconds: at an epoch's end, an even younger one is good enough.
    """

    # A decision by the clock must be the same on all ranks; asking costs, so it is asked rarely.
    BROADCAST_EVERY = 16

    def __init__(
        self,
        dirpath: str | None = None,
        every_n_steps: int | None = None,
        every_n_seconds: float = 60.0,
        min_seconds: float = 10.0,
    ) -> None:
        self.dirpath = dirpath
        self.every_n_steps = every_n_steps
        self.every_n_seconds = every_n_seconds
        self.min_seconds = min_seconds
        self._saved_at = time.monotonic()

    def path(self, trainer: "pl.Trainer") -> Path:
        """Return where ``last.ckpt`` is written."""
        folder = (
            Path(self.dirpath) if self.dirpath else Path(trainer.log_dir or trainer.default_root_dir) / "checkpoints"
        )
        return folder / "last.ckpt"

    @override
    def on_train_start(self, trainer: "pl.Trainer", pl_module: "pl.LightningModule") -> None:
        self._saved_at = time.monotonic()

    @override
    def on_train_batch_end(
        self, trainer: "pl.Trainer", pl_module: "pl.LightningModule", outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save inside an epoch when it is time, when the run ends here, or on SIGTERM."""
        if trainer.is_last_batch:
            return
        due = not self._validation_follows(trainer, batch_idx) and self._due_in_epoch(trainer)
        if due or self._ends(trainer):
            self._save(trainer)

    @override
    def on_validation_end(self, trainer: "pl.Trainer", pl_module: "pl.LightningModule") -> None:
        """Save once more where the run ends inside an epoch: what the validation found belongs to it."""
        training = trainer.state.fn == TrainerFn.FITTING and not trainer.sanity_checking
        if training and not trainer.is_last_batch and self._ends(trainer):
            self._save(trainer)

    @override
    def on_train_epoch_end(self, trainer: "pl.Trainer", pl_module: "pl.LightningModule") -> None:
        """Save at the end of an epoch. One that ``max_steps`` cut short was saved where it was cut."""
        if not trainer.is_last_batch:
            return
        last_epoch = trainer.max_epochs is not None and 0 <= trainer.max_epochs <= trainer.current_epoch + 1
        old = self._agree(trainer, time.monotonic() - self._saved_at >= self.min_seconds)
        if last_epoch or old or self._ends(trainer) or self._due_by_steps(trainer):
            self._save(trainer)

    @staticmethod
    def _ends(trainer: "pl.Trainer") -> bool:
        return trainer.should_stop or trainer.received_sigterm or 0 <= trainer.max_steps <= trainer.global_step

    def _validation_follows(self, trainer: "pl.Trainer", batch_idx: int) -> bool:
        every = trainer.val_check_batch
        return isinstance(every, int) and (batch_idx + 1) % every == 0 and bool(trainer.num_val_batches)

    def _due_by_steps(self, trainer: "pl.Trainer") -> bool:
        return self.every_n_steps is not None and trainer.global_step % self.every_n_steps == 0

    def _due_in_epoch(self, trainer: "pl.Trainer") -> bool:
        if self._due_by_steps(trainer):
            return True
        if trainer.world_size > 1 and trainer.global_step % self.BROADCAST_EVERY:
            return False
        return self._agree(trainer, time.monotonic() - self._saved_at >= self.every_n_seconds)

    @staticmethod
    def _agree(trainer: "pl.Trainer", decision: bool) -> bool:
        return bool(trainer.strategy.broadcast(decision)) if trainer.world_size > 1 else decision

    def _save(self, trainer: "pl.Trainer") -> None:
        for logger in trainer.loggers:
            logger.save()  # a resumed run does not log again what lies before its checkpoint
        trainer.save_checkpoint(self.path(trainer), weights_only=False)
        self._saved_at = time.monotonic()
