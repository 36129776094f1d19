"""A classifier's predictions, collected during validation."""

from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor
from torch.utils.hooks import RemovableHandle
from typing_extensions import override

from callbacks.base.evaluation import WatchesEvaluation
from callbacks.base.media import warn_once
from callbacks.base.plotting import PlottingCallback
from callbacks.base.trainers import is_quiet
from dlmodules.errors import UserError
from dlmodules.protocols import Classifies, Weighs


def require_classifier(owner: object, pl_module: LightningModule) -> int:
    """Return how many classes a classifier tells apart.

    Raises:
        UserError: if the module has no ``num_classes`` or no ``forward``; ``owner`` is the callback that asks.
    """
    if not isinstance(pl_module, Classifies) or type(pl_module).forward is LightningModule.forward:
        raise UserError(
            f"{type(owner).__name__} needs a classifier, a module with `num_classes` whose forward gives logits"
            f" (B, num_classes); {type(pl_module).__name__} is none (see dlmodules.protocols)"
        )
    return int(pl_module.num_classes)


def class_probabilities(pl_module: LightningModule, logits: Tensor) -> Tensor:
    """Return the probabilities ``(B, K)`` of a classifier's logits: their softmax, unless it defines its own."""
    found: Tensor = pl_module.probabilities(logits) if isinstance(pl_module, Weighs) else logits.softmax(dim=1)
    return found


class PredictionPlottingCallback(WatchesEvaluation, PlottingCallback):
    """Base of the callbacks that show what a classifier predicted for the validation or the test set.

    Nothing is computed twice: the class probabilities are what ``validation_step`` and ``test_step`` return, or
    where that is no such thing they come from the logits, which a hook takes from the module's ``forward``. Only
    where a step calls no ``forward`` either are the logits computed, batch by batch. A child overrides ``begin``,
    ``collect`` and ``plot``; what it keeps from a batch should be small.

    Args:
        every_n_epochs: plot after each that many epochs, and when the training ends.
    """

    def __init__(self, every_n_epochs: int = 1) -> None:
        super().__init__(every_n_epochs)
        self.prefix = ""
        self.num_classes = 0
        self._has_plotted = False
        self._unplotted = False
        self._logits: Tensor | None = None
        self._hook: RemovableHandle | None = None

    def begin(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget what was collected: a pass over the data begins."""
        raise NotImplementedError

    def collect(self, x: Tensor, y: Tensor, probabilities: Tensor) -> None:
        """Take in a batch: inputs ``(B, ...)``, labels ``(B,)`` int64, probabilities ``(B, num_classes)`` float32."""
        raise NotImplementedError

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module that is no classifier."""
        self.num_classes = require_classifier(self, pl_module)

    @override
    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start(trainer, pl_module)

    @override
    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start(trainer, pl_module)

    @override
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Plot after a validation run; during training ``every_n_epochs`` decides when."""
        self._stop()
        if trainer.state.fn == TrainerFn.VALIDATING:
            self._plot_once(trainer, pl_module)

    @override
    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._stop()
        self._plot_once(trainer, pl_module)

    @override
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Plot the last validation, or say why there is nothing to plot."""
        super().on_train_end(trainer, pl_module)
        if not self._has_plotted and not is_quiet(trainer):
            warn_once(self, f"{type(self).__name__} plotted nothing: there was no validation data.")

    @override
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Leave no hook behind."""
        self._stop()

    def _start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._stop()
        self.prefix = "test/" if trainer.state.fn == TrainerFn.TESTING else ""
        self._unplotted = False
        self._plotted_step = -1
        self.begin(trainer, pl_module)
        self._hook = pl_module.register_forward_hook(self._remember)

    def _remember(self, module: Any, args: Any, output: Any) -> None:
        # Under a strategy that wraps the module, the whole step passes here as well: its loss is no logits.
        if isinstance(output, Tensor) and output.ndim == 2 and output.shape[1] == self.num_classes:
            self._logits = output.detach()

    def _stop(self) -> None:
        if self._hook is not None:
            self._hook.remove()
        self._hook, self._logits = None, None

    @override
    def on_evaluation_batch(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, dataloader_idx: int
    ) -> None:
        # Taken off the object, so that a batch without a forward cannot be given the one before's.
        logits, self._logits = self._logits, None
        if dataloader_idx != 0:
            return
        x, y = self.inputs_and_labels(batch)
        wanted = (len(y), self.num_classes)
        if _are_probabilities(outputs, wanted):
            probabilities = outputs
        else:
            if logits is None or logits.shape != wanted:
                try:
                    logits = self._forward(trainer, pl_module, x)
                except UserError:
                    if is_quiet(trainer):  # in the sanity check a module may have nothing to say yet
                        return
                    raise
            if not isinstance(logits, Tensor) or logits.shape != wanted:
                found = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
                raise UserError(
                    f"{type(self).__name__} needs a classifier, with logits {wanted} for a batch of {len(y)};"
                    f" the forward of {type(pl_module).__name__} gives {found}"
                )
            probabilities = class_probabilities(pl_module, logits)
        if not is_quiet(trainer):  # the sanity check looks at shapes alone
            self.collect(x, y, probabilities.detach().float())
            self._unplotted = True

    def _forward(self, trainer: Trainer, pl_module: LightningModule, x: Tensor) -> Any:
        with torch.no_grad(), trainer.precision_plugin.forward_context():
            logits = pl_module(x)
        self._logits = None  # the hook has seen this call as well
        return logits

    def inputs_and_labels(self, batch: Any) -> tuple[Tensor, Tensor]:
        """Split a batch into inputs ``(B, ...)`` and labels ``(B,)``, or raise the UserError that it has none."""
        x, y = batch[:2] if isinstance(batch, (tuple, list)) and len(batch) >= 2 else (None, None)
        if not isinstance(x, Tensor) or not isinstance(y, Tensor) or y.ndim != 1 or y.is_floating_point():
            raise UserError(f"{type(self).__name__} needs batches (x, y) with class labels y (B,) of whole numbers")
        return x, y

    @override
    def _plot_once(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._unplotted:
            super()._plot_once(trainer, pl_module)
            self._unplotted, self._has_plotted = False, True


def _are_probabilities(outputs: Any, shape: tuple[int, int]) -> bool:
    """Whether a step returned class probabilities, not its loss or its logits."""
    if not isinstance(outputs, Tensor) or outputs.shape != shape or not outputs.is_floating_point():
        return False
    return not bool(((outputs < 0) | (outputs > 1)).any())
