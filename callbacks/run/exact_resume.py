"""Random number generators in the checkpoint, so that a resumed run draws the numbers of an uninterrupted one."""

import random
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from typing_extensions import override

from callbacks.base.progress import logged_step
from dlmodules.training.ranks import states_of_ranks


class ExactResume(pl.Callback):
    """Save the states of Python's, NumPy's and torch's generators, and give them back on resuming.

    With a loader that knows its position (those of all data modules here do) a run that
    was killed continues to bitwise the same weights on a CPU, in the same epochs, whether these or steps end it.
    The command line always adds it; with a plain ``Trainer`` add it yourself, together with ``LastCheckpoint``.
    """

    def __init__(self) -> None:
        self._restored: dict[str, Any] | None = None

    @override
    def on_save_checkpoint(
        self, trainer: "pl.Trainer", pl_module: "pl.LightningModule", checkpoint: dict[str, Any]
    ) -> None:
        states = states_of_ranks(random_states())
        # The loader of the next epoch takes random numbers: at an epoch's end it has yet to, inside an epoch it did.
        checkpoint["random_states"] = {"ranks": states, "inside_epoch": not trainer.is_last_batch}

    @override
    def on_load_checkpoint(
        self, trainer: "pl.Trainer", pl_module: "pl.LightningModule", checkpoint: dict[str, Any]
    ) -> None:
        """Remember the saved states until the fit starts."""
        self._restored = checkpoint.get("random_states")
        # Where a training ends by steps, Lightning takes an epoch that has ended for one to be finished, and counts it
        # once more, without a batch (its issue 19617).
        batches = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]
        if batches["is_last_batch"]:
            vars(trainer.fit_loop)["_iteration_based_training"] = lambda: False

    @override
    def on_fit_start(self, trainer: "pl.Trainer", pl_module: "pl.LightningModule") -> None:
        """Restore before the loaders make their iterators, which may use the global generators."""
        self._restore(trainer)

    @override
    def on_train_start(self, trainer: "pl.Trainer", pl_module: "pl.LightningModule") -> None:
        """Restore again inside an epoch, where the unbroken run had no iterator to make."""
        if self._restored is None:
            return
        if self._restored["inside_epoch"]:
            self._restore(trainer)
        self._restored = None
        # The killed run may have logged further than its checkpoint.
        for logger in trainer.loggers:
            if hasattr(logger, "rewind"):
                logger.rewind(logged_step(trainer))

    def _restore(self, trainer: "pl.Trainer") -> None:
        if self._restored is not None and trainer.global_rank < len(self._restored["ranks"]):
            set_random_states(self._restored["ranks"][trainer.global_rank])


def random_states() -> dict[str, Any]:
    """Return the states of all global generators as plain values and tensors."""
    version, words, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    words_of_numpy = torch.from_numpy(np.asarray(keys, dtype=np.int64))
    states: dict[str, Any] = {
        "python": [version, list(words), gauss],
        "numpy": [
            str(name),
            words_of_numpy,
            int(position),
            int(has_gauss),
            float(cached),
        ],
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state_all()
    return states


def set_random_states(states: dict[str, Any]) -> None:
    """Give all global generators the states that ``random_states`` returned."""
    version, words, gauss = states["python"]
    random.setstate((version, tuple(words), gauss))
    name, keys, position, has_gauss, cached = states["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), position, has_gauss, cached))
    torch.set_rng_state(states["torch"].cpu())
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state_all([state.cpu() for state in states["cuda"]])
