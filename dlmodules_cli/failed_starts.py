"""A run that ends before its first training step is over leaves nothing behind."""

import contextlib
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from pytorch_lightning import Trainer

from callbacks.run.loggers import RunWandbLogger


class MadeFolder(NamedTuple):
    """A run folder that this run has made, and the folders above it that it had to make for it, the innermost first."""

    folder: Path
    parents: tuple[Path, ...]


def made_for(folder: Path) -> tuple[Path, ...]:
    """Return the folders above ``folder`` that there are not yet, the innermost first."""
    return tuple(parent for parent in folder.parents if not parent.exists())


def remove_failed_start(made: MadeFolder, trainer: Trainer | None) -> None:
    """Remove the folder of a run that has failed, and its W&B run, unless a training step was done or something kept.

    Args:
        made: only what this run has made is removed.
        trainer: None where the run failed before there was one.
    """
    if trainer is not None and trainer.fit_loop.epoch_loop.batch_progress.total.completed > 0:
        return
    if any(path.is_file() for kind in ("checkpoints", "media") for path in (made.folder / kind).rglob("*")):
        return
    for logger in trainer.loggers if trainer is not None else ():
        if isinstance(logger, RunWandbLogger):
            run = logger.started_run
            logger.finalize("failed")
            _delete_online(run)
    shutil.rmtree(made.folder, ignore_errors=True)
    for parent in made.parents:
        with contextlib.suppress(OSError):  # another run lies there by now
            parent.rmdir()


def _delete_online(run: Any) -> None:
    if run is None or run.offline:
        return
    with contextlib.suppress(Exception):  # a dashboard is never what a run ends with
        import wandb

        wandb.Api().run(run.path).delete()
