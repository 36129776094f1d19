"""Plot what a module does with given images, the same ones throughout training."""

from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor
from typing_extensions import override

from callbacks.base.batches import as_float, compact, images_and_labels
from callbacks.base.evaluation import WatchesEvaluation
from callbacks.base.media import warn_once
from callbacks.base.plotting import PlottingCallback
from callbacks.base.trainers import is_quiet
from dlmodules.errors import UserError


class ImagePlottingCallback(WatchesEvaluation, PlottingCallback):
    """Base of the callbacks that plot what a module makes of given images.

    They are the first ones of the validation set, caught as they pass by in the first validation,
    so no loader is read for them and they stay the same through the training. ``validate`` and
    ``test`` plot those of their own set.

    Args:
        num: how many images.
        every_n_epochs: plot after each that many epochs.
        every_n_steps: plot after each that many training steps instead.
    """

    def __init__(self, num: int, every_n_epochs: int = 1, every_n_steps: int | None = None) -> None:
        super().__init__(every_n_epochs, every_n_steps)
        if num < 1:
            raise UserError(f"{type(self).__name__} needs at least 1 image, not {num}")
        self.num = num
        self.prefix = ""
        self._images: list[Tensor] = []
        self._labels: list[Tensor | None] = []
        self._catching = False
        self._caught_for: TrainerFn | None = None

    def images(self, pl_module: LightningModule) -> tuple[Tensor, Tensor | None]:
        """The caught images, float32 on the module's device, and their labels where they have some."""
        labels = [part for part in self._labels if part is not None]
        complete = len(labels) == len(self._images)
        images = torch.cat([as_float(part) for part in self._images])
        return images.to(pl_module.device), torch.cat(labels) if complete else None

    def ready(self) -> bool:
        """Whether there is something to plot."""
        return bool(self._images)

    @override
    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start_catching(trainer)

    @override
    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start_catching(trainer)

    @override
    def on_evaluation_batch(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, dataloader_idx: int
    ) -> None:
        missing = self.num - sum(len(part) for part in self._images)
        if not self._catching or dataloader_idx != 0 or missing <= 0:
            return
        self.keep(batch, missing)

    def keep(self, batch: Any, missing: int) -> None:
        """Keep ``missing`` images of a batch at most, and their labels where it has some."""
        images, labels = images_and_labels(batch)
        self._images.append(compact(images[:missing].detach().cpu()))
        self._labels.append(None if labels is None else labels[:missing].cpu().clone())

    @override
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Plot after a validation run; during training ``every_n_epochs`` decides when."""
        self._stop_catching(trainer)
        if trainer.state.fn == TrainerFn.VALIDATING:
            self._plot_once(trainer, pl_module)

    @override
    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._stop_catching(trainer)
        self._plot_once(trainer, pl_module)

    @override
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Plot the trained module, or say why there is nothing to plot."""
        super().on_train_end(trainer, pl_module)
        if not self.ready() and not is_quiet(trainer):
            warn_once(self, f"{type(self).__name__} plotted nothing: there was no validation to take images from.")

    def _start_catching(self, trainer: Trainer) -> None:
        if is_quiet(trainer) or (trainer.state.fn == TrainerFn.FITTING and self._caught_for == TrainerFn.FITTING):
            return
        self._images, self._labels, self._plotted_step = [], [], -1
        self.prefix = "test/" if trainer.state.fn == TrainerFn.TESTING else ""
        self._catching = True

    def _stop_catching(self, trainer: Trainer) -> None:
        if self._catching and self._images:
            self._caught_for = trainer.state.fn
        self._catching = False

    @override
    def _plot_once(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.ready():
            super()._plot_once(trainer, pl_module)
