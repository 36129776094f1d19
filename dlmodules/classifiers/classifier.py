"""The training logic that all classifiers share: loss, metrics, optimizer."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics.classification import MulticlassAccuracy
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.checkpoints.own_networks import NamesOwnNetworks
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.sampling.examples import example_inputs, example_labels
from dlmodules.training.batches import inputs_and_targets, inputs_of
from dlmodules.training.schedules import with_schedule
from dlmodules.training.step_logging import is_logging_step, log_losses
from dlmodules.validation.arguments import check_at_least
from dlmodules.validation.device_reads import may_read
from dlmodules.validation.first_batch import check_class_logits, warn_of_large_images
from dlmodules.validation.images import check_images
from dlmodules.validation.labels import check_labels


class Classifier(NamesOwnNetworks):
    """Train ``network`` to predict one of ``num_classes`` classes, by cross-entropy.

    A variant builds another network; it may override ``loss``, ``losses`` or ``probabilities``. Logged: ``train/loss``,
    ``train/accuracy``, ``val/loss``, ``val/accuracy``, ``test/loss``, ``test/accuracy`` (accuracies in [0, 1]).

    Args:
        network: maps a batch of inputs to logits ``(B, num_classes)``.
        num_classes: number of classes, 2 or more; labels are ``(B,)`` int64 in ``[0, num_classes)``.
        optimizer: makes the optimizer; the default is Adam with Keras' defaults.
        scheduler: makes a schedule of the learning rate, stepped after each epoch; None keeps it constant.
        input_shape: shape of one input, such as (C, H, W), which every batch must then have; None takes any.
    """

    best_metric = ("val/accuracy", "max")
    takes_rows: ClassVar[bool] = False
    """Whether a network of it can be built for rows of numbers in place of images."""

    def __init__(
        self,
        network: nn.Module,
        num_classes: int,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3, eps=1e-7),
        scheduler: LRSchedulerCallable | None = None,
        input_shape: Sequence[int] | None = None,
    ) -> None:
        check_at_least(2, num_classes=num_classes)
        super().__init__()
        save_portable_hyperparameters(self)
        self.network = network
        self.input_shape = None if input_shape is None else tuple(input_shape)
        self.num_classes = num_classes
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.val_accuracy = MulticlassAccuracy(num_classes, average="micro")
        self.test_accuracy = MulticlassAccuracy(num_classes, average="micro")

    @override
    def forward(self, x: Tensor) -> Tensor:
        """Return the logits ``(B, num_classes)`` of a batch ``x``."""
        logits: Tensor = self.network(x)
        return logits

    def features(self, x: Tensor) -> Tensor:
        """Return the activations ``(B, F)`` before the last layer, of a network that has them as ``hidden``."""
        hidden: Tensor = self.network.hidden(x)  # type: ignore[operator]  # a method of the network
        return hidden.flatten(1)

    def loss(self, logits: Tensor, y: Tensor) -> Tensor:
        """Return the mean cross-entropy of logits ``(B, K)`` and labels ``(B,)``."""
        return F.cross_entropy(logits, y)

    def losses(self, x: Tensor, y: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the logits of a batch and its losses by name: ``loss`` is minimised, the others are only logged."""
        logits = self(x)
        check_class_logits(logits, len(x), self.num_classes, type(self).__name__)
        return logits, {"loss": self.loss(logits, y)}

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return the class probabilities ``(B, num_classes)``; the class with the largest is predicted."""
        return torch.softmax(logits, dim=1)

    def check_inputs(self, x: Tensor) -> None:
        """Raise UserError where the inputs ``(B, ...)`` of a batch are not what the module takes."""
        if self.input_shape is not None:
            check_images(x, self.input_shape, type(self).__name__, "input_shape", self.takes_rows)

    def _checked_losses(self, x: Tensor, y: Tensor, batch_idx: int) -> tuple[Tensor, dict[str, Tensor]]:
        self.check_inputs(x)
        if may_read(y, first=batch_idx == 0):
            check_labels(y, len(x), self.num_classes, type(self).__name__)
        if self.training and batch_idx == 0 and self.global_step == 0:
            warn_of_large_images(x, type(self).__name__)
        return self.losses(x, y)

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        x, y = inputs_and_targets(batch, type(self).__name__)
        logits, losses = self._checked_losses(x, y, batch_idx)
        log_losses(self, {f"train/{name}": value for name, value in losses.items()})
        if is_logging_step(self):
            accuracy = (self.probabilities(logits).argmax(dim=1) == y).float().mean()
            self.log("train/accuracy", accuracy, prog_bar=True)
        return losses["loss"]

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Log loss and accuracy, and return the class probabilities ``(B, num_classes)``, for callbacks."""
        return self._evaluate(batch, batch_idx, "val", self.val_accuracy)

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Log loss and accuracy, and return the class probabilities ``(B, num_classes)``, for callbacks."""
        return self._evaluate(batch, batch_idx, "test", self.test_accuracy)

    def _evaluate(self, batch: Batch, batch_idx: int, stage: str, accuracy: MulticlassAccuracy) -> Tensor:
        x, y = inputs_and_targets(batch, type(self).__name__)
        logits, losses = self._checked_losses(x, y, batch_idx)
        probabilities = self.probabilities(logits)
        accuracy.update(probabilities, y)
        named = {f"{stage}/{name}": value for name, value in losses.items()}
        self.log_dict(named, on_epoch=True, batch_size=len(logits), sync_dist=True)
        self.log(f"{stage}/accuracy", accuracy, on_epoch=True, prog_bar=True)
        return probabilities

    @override
    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the class probabilities ``(B, num_classes)``."""
        return self.probabilities(self(inputs_of(batch)))

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        return with_schedule(self.optimizer(self.parameters()), self.scheduler)

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up inputs ``(n, *input_shape)`` in [0, 1) and labels of each class in turn.

        Raises UserError where the module was not told an ``input_shape``.
        """
        if self.input_shape is None:
            raise UserError(f"{type(self).__name__} takes inputs of any shape: give it an input_shape for examples")
        labels = example_labels(n, self.num_classes, self.device)
        return example_inputs(n, self.input_shape, self.device), labels
