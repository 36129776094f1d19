"""When a callback plots."""

from typing import Any, ClassVar

from pytorch_lightning import Callback, LightningModule, Trainer
from typing_extensions import override

from callbacks.base.requirements import require
from callbacks.base.trainers import callbacks_of, is_quiet
from dlmodules.errors import UserError


class PlottingCallback(Callback):
    """Base of the callbacks that plot: every n epochs or every n steps, and once more when the training ends.

    A child says in ``needs`` which protocols its module must have, and overrides ``plot``. Every
    process calls ``plot``, since with sharded weights all of them must take part in a forward pass;
    only the first one writes.

    Args:
        every_n_epochs: plot after each that many epochs.
        every_n_steps: plot after each that many training steps instead.
    """

    needs: ClassVar[tuple[type, ...]] = ()
    name: str | None = None
    """What a child that several of may watch one training calls its pictures or numbers; None where it has no say."""

    def __init__(self, every_n_epochs: int = 1, every_n_steps: int | None = None) -> None:
        if every_n_epochs < 1 or (every_n_steps is not None and every_n_steps < 1):
            raise UserError(f"{type(self).__name__}: every_n_epochs and every_n_steps must be 1 or more")
        self.every_n_epochs = every_n_epochs
        self.every_n_steps = every_n_steps
        self._seen_step = 0
        self._plotted_step = -1

    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Plot now."""
        raise NotImplementedError

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module that lacks what is asked of it, and a name that another callback of the class has."""
        alike = [callback for callback in callbacks_of(trainer) if type(callback) is type(self)]
        if self.name is not None and sum(callback.name == self.name for callback in alike) > 1:
            raise UserError(
                f"the trainer has two callbacks {type(self).__name__} with the name {self.name!r}:"
                " give each a name of its own"
            )
        require(self, pl_module, *self.needs)

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # Steps count from where the training starts or goes on.
        self._seen_step = trainer.global_step
        self._plotted_step = -1

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self.every_n_steps is None:
            return
        # A module may advance the global step by more than one, so look for a multiple passed.
        before, self._seen_step = self._seen_step, trainer.global_step
        if self._seen_step // self.every_n_steps > before // self.every_n_steps:
            self._plot_once(trainer, pl_module)

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.every_n_steps is None and (trainer.current_epoch + 1) % self.every_n_epochs == 0:
            self._plot_once(trainer, pl_module)

    @override
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Plot the trained module, unless that was just done."""
        self._plot_once(trainer, pl_module)

    def _plot_once(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if is_quiet(trainer) or self._plotted_step == trainer.global_step:
            return
        self._plotted_step = trainer.global_step
        self.plot(trainer, pl_module)
