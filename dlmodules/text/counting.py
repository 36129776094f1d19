"""A linear recurrent network that is to count the ones of a sequence."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics import MeanMetric, MeanSquaredError
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.text.backpropagation_through_time import states
from dlmodules.training.batches import inputs_and_targets, inputs_of
from dlmodules.training.schedules import with_schedule
from dlmodules.training.step_logging import is_logging_step, log_losses
from dlmodules.validation.images import inputs_in_words


class LinearRNN(nn.Module):
    """One number of state and no nonlinearity: ``s_t = s_{t-1} W + x_t U``. The last state is the output.

    Args:
        start: first values of the weights U and W.
    """

    def __init__(self, start: tuple[float, float]) -> None:
        super().__init__()
        self.start = start
        self.U = nn.Parameter(torch.tensor(float(start[0])))
        self.W = nn.Parameter(torch.tensor(float(start[1])))

    def forward(self, x: Tensor) -> Tensor:
        """Map sequences ``(B, T)`` to the last states ``(B,)``."""
        return states(x, self.U, self.W)[:, -1]


class CountingRNN(LightningModule):
    """Count the ones of a sequence with two weights, trained by full backpropagation through time.

    With U = W = 1 it counts. From the book's start (-2, 0) and on its one sequence it finds other weights that give the
    right number for that sequence alone; on many random sequences, from (0, 0), it finds U = W = 1. The gradient of
    a state m steps before the end has the factor W ** m. On 40 bits the training therefore blows up, and ends in one
    line that says at which step the loss was infinite; ``--trainer.gradient_clip_val`` lets it go on.

    Paper: Werbos 1990, Backpropagation through time: what it does and how to do it.
    Books: vasilev 7.4, vasilev 7.5.

    Logged: ``train/loss`` (mean squared error of the batch); at the same steps ``train/U`` and ``train/W``, the weights
    that have this loss, and ``train/U_gradient`` and ``train/W_gradient``, before they are clipped; ``val/rmse`` and
    ``test/rmse``; ``val/accuracy`` and ``test/accuracy``, the fraction of sequences whose rounded output is the count.

    Args:
        start: first values of U, the weight of the input, and W, that of the state before.
        optimizer: makes the optimizer; the book's is gradient descent.
        scheduler: makes a schedule of the learning rate, stepped after each epoch; None keeps it constant.

    Raises:
        UserError: batches that are no sequences of numbers with one number to predict each.
    """

    best_metric = ("val/rmse", "min")
    # Where the output still follows the weights: from the book's start hundreds of steps change little.
    small_arguments: ClassVar[Mapping[str, Any]] = {"start": (1.0, 0.8)}

    def __init__(
        self,
        start: tuple[float, float] = (-2.0, 0.0),
        optimizer: OptimizerCallable = lambda p: torch.optim.SGD(p, lr=0.0005),
        scheduler: LRSchedulerCallable | None = None,
    ) -> None:
        super().__init__()
        save_portable_hyperparameters(self)
        self.network = LinearRNN(start)
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.val_rmse, self.test_rmse = MeanSquaredError(squared=False), MeanSquaredError(squared=False)
        self.val_accuracy, self.test_accuracy = MeanMetric(), MeanMetric()

    @override
    def forward(self, x: Tensor) -> Tensor:
        """Return the counts ``(B,)`` that the network has for sequences ``(B, T)``: any real numbers."""
        counts: Tensor = self.network(x)
        return counts

    def loss(self, counts: Tensor, y: Tensor) -> Tensor:
        """Return the mean squared error of counts ``(B,)`` and targets ``(B,)``."""
        return F.mse_loss(counts, y)

    def _counts_and_targets(self, batch: Batch) -> tuple[Tensor, Tensor]:
        x, y = inputs_and_targets(batch, type(self).__name__)
        if x.ndim != 2 or not x.is_floating_point() or y.shape != x.shape[:1]:
            raise UserError(
                f"{type(self).__name__} takes sequences of numbers (B, T) and a number for each, but the data give"
                f" {inputs_in_words(x)} and targets {list(y.shape)}: choose another --data, such as BitCountsDataModule"
            )
        return self(x), y.to(x.dtype)

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        loss = self.loss(*self._counts_and_targets(batch))
        log_losses(self, {"train/loss": loss})
        return loss

    @override
    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Log the weights and their gradients, which no clipping has changed yet."""
        if is_logging_step(self):
            for name, weight in self.network.named_parameters():
                if weight.numel() == 1 and weight.grad is not None:  # another network may have matrices
                    self.log_dict({f"train/{name}": weight.detach(), f"train/{name}_gradient": weight.grad})

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._measure(batch, self.val_rmse, self.val_accuracy)

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._measure(batch, self.test_rmse, self.test_accuracy)

    def _measure(self, batch: Batch, rmse: MeanSquaredError, accuracy: MeanMetric) -> None:
        counts, y = self._counts_and_targets(batch)
        rmse.update(counts, y)
        accuracy.update((counts.round() == y).float())

    @override
    def on_validation_epoch_end(self) -> None:
        self._log("val", self.val_rmse, self.val_accuracy)

    @override
    def on_test_epoch_end(self) -> None:
        self._log("test", self.test_rmse, self.test_accuracy)

    def _log(self, stage: str, rmse: MeanSquaredError, accuracy: MeanMetric) -> None:
        self.log_dict({f"{stage}/rmse": rmse.compute(), f"{stage}/accuracy": accuracy.compute()}, prog_bar=True)
        rmse.reset()
        accuracy.reset()

    @override
    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the counts ``(B,)``."""
        counts: Tensor = self(inputs_of(batch))
        return counts

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        return with_schedule(self.optimizer(self.parameters()), self.scheduler)

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up sequences ``(n, 10)`` of bits as float32, the first 1,023 unequal, and counts."""
        numbers = torch.arange(1, n + 1, device=self.device)
        x = (numbers[:, None] >> torch.arange(10, device=self.device)) & 1
        return x.float(), x.sum(dim=1).float()
