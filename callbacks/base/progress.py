"""The progress of a training run, for file names, charts and logs."""

from functools import lru_cache
from pathlib import Path

import torch
from pytorch_lightning import Trainer
from pytorch_lightning.trainer.states import TrainerFn

from dlmodules.protocols import CountsEnvironmentSteps


def steps_done(trainer: Trainer) -> int:
    """How many training steps were done, whatever the number of optimizers in each."""
    return min(trainer.global_step, trainer.fit_loop.total_batch_idx + 1)


def environment_steps(trainer: Trainer) -> int | None:
    """How many environment steps were done, for an agent; None for all others."""
    module = trainer.lightning_module
    return module.env_steps if isinstance(module, CountsEnvironmentSteps) else None


def position(trainer: Trainer) -> int:
    """How far the training is: environment steps for an agent, training steps for all others.

    Where a checkpoint is evaluated it is how far that one's training was.
    """
    counted = environment_steps(trainer)
    if counted is not None:
        return counted
    evaluated = None if trainer.state.fn == TrainerFn.FITTING else trainer.ckpt_path
    found = None if evaluated is None else _steps_of(Path(evaluated))
    return steps_done(trainer) if found is None else found


def _steps_of(checkpoint: Path) -> int | None:
    """Return after how many training steps a checkpoint was saved; None where it does not say."""
    try:
        return _read_steps(checkpoint, checkpoint.stat().st_mtime_ns)
    except Exception:  # it lies elsewhere, or is of another program: a number is no reason to stop
        return None


@lru_cache(maxsize=1)
def _read_steps(checkpoint: Path, written: int) -> int:
    """Read a checkpoint once for all pictures of an evaluation, and again where it was ``written`` anew."""
    # Lightning gives an evaluation the weights alone. The tensors stay in the file.
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
    batches = saved["loops"]["fit_loop"]["epoch_loop.batch_progress"]["total"]["completed"]
    return min(int(saved["global_step"]), int(batches))


def logged_step(trainer: Trainer) -> int:
    """The step under which Lightning logs the metrics of this moment: it counts from zero.

    Were a picture logged under the global step, the next metrics would lie before it on a chart.
    An agent logs under its environment steps.
    """
    counted = environment_steps(trainer)
    return max(0, steps_done(trainer) - 1) if counted is None else counted
