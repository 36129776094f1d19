"""Averaged weights: which callbacks keep some, and how to borrow them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol, runtime_checkable

from pytorch_lightning import LightningModule, Trainer

from callbacks.base.trainers import callbacks_of


@runtime_checkable
class AveragesWeights(Protocol):
    """A callback that keeps an average of a module's weights; ``EMA`` is one."""

    def averaged(self, pl_module: LightningModule) -> AbstractContextManager[None]:
        """Within, the module has the averaged weights, if there are any yet."""
        ...


@runtime_checkable
class AveragesExponentially(AveragesWeights, Protocol):
    """One whose average is exponential."""

    decay: float
    """The fraction of the average that is kept at an update."""


def averaging_callbacks(trainer: Trainer) -> list[AveragesWeights]:
    """The trainer's callbacks that keep averaged weights."""
    return [callback for callback in callbacks_of(trainer) if isinstance(callback, AveragesWeights)]


@contextmanager
def averaged_weights(trainer: Trainer, pl_module: LightningModule) -> Iterator[None]:
    """Within, the module has the averaged weights of every callback that keeps some."""
    with ExitStack() as stack:
        for callback in averaging_callbacks(trainer):
            stack.enter_context(callback.averaged(pl_module))
        yield
