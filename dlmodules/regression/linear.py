"""Linear regression by gradient descent."""

from collections.abc import Sequence
from math import prod

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics import MeanSquaredError, R2Score
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.errors import UserError
from dlmodules.layers.linear import Linear
from dlmodules.protocols import Batch
from dlmodules.sampling.examples import example_inputs
from dlmodules.training.batches import inputs_and_targets, inputs_of
from dlmodules.training.schedules import with_schedule
from dlmodules.training.step_logging import log_losses
from dlmodules.validation.images import check_images


class LinearRegression(LightningModule):
    """Predict a number as a weighted sum of the inputs, by least squares: 6 parameters for 5 inputs.

    Paper: Legendre 1805, Nouvelles methodes pour la determination des orbites des cometes.
    Books: vasilev 1.1, vasilev 2.4.

    Logged: ``train/loss`` (mean squared error of the batch), ``val/rmse``, ``val/r2``, ``test/rmse``, ``test/r2``.

    Args:
        input_shape: shape of one input, such as the number of columns of a table; it is flattened.
        bias: add a constant to the weighted sum; the book's first form has none.
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate, stepped after each epoch; None keeps it constant.
    """

    best_metric = ("val/rmse", "min")

    def __init__(
        self,
        input_shape: Sequence[int] = (5,),
        bias: bool = True,
        optimizer: OptimizerCallable = lambda p: torch.optim.SGD(p, lr=0.01),
        scheduler: LRSchedulerCallable | None = None,
    ) -> None:
        super().__init__()
        save_portable_hyperparameters(self)
        self.input_shape = tuple(input_shape)
        self.network: nn.Module = Linear(prod(input_shape), 1, bias)
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.val_rmse, self.val_r2 = MeanSquaredError(squared=False), R2Score()
        self.test_rmse, self.test_r2 = MeanSquaredError(squared=False), R2Score()

    @override
    def forward(self, x: Tensor) -> Tensor:
        """Return the predictions ``(B,)`` for inputs ``(B, *input_shape)``."""
        predictions: Tensor = self.network(x)
        return predictions.squeeze(1)

    def loss(self, predictions: Tensor, y: Tensor) -> Tensor:
        """Return the mean squared error of predictions ``(B,)`` and targets ``(B,)``."""
        return F.mse_loss(predictions, y)

    def _predictions_and_targets(self, batch: Batch) -> tuple[Tensor, Tensor]:
        x, y = inputs_and_targets(batch, type(self).__name__)
        check_images(x, self.input_shape, type(self).__name__, "input_shape")
        if y.shape != x.shape[:1]:
            raise UserError(f"the targets are {list(y.shape)}; {type(self).__name__} needs one number per row")
        return self(x), y.to(x.dtype)

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        loss = self.loss(*self._predictions_and_targets(batch))
        log_losses(self, {"train/loss": loss})
        return loss

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        predictions, y = self._predictions_and_targets(batch)
        self.val_rmse.update(predictions, y)
        self.val_r2.update(predictions, y)

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> None:
        predictions, y = self._predictions_and_targets(batch)
        self.test_rmse.update(predictions, y)
        self.test_r2.update(predictions, y)

    @override
    def on_validation_epoch_end(self) -> None:
        self._log("val", self.val_rmse, self.val_r2)

    @override
    def on_test_epoch_end(self) -> None:
        self._log("test", self.test_rmse, self.test_r2)

    def _log(self, stage: str, rmse: MeanSquaredError, r2: R2Score) -> None:
        self.log(f"{stage}/rmse", rmse.compute(), prog_bar=True)
        if int(r2.total) >= 2:  # a single target has no variance that could be explained
            self.log(f"{stage}/r2", r2.compute())
        rmse.reset()
        r2.reset()

    @override
    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the predictions ``(B,)``."""
        predictions: Tensor = self(inputs_of(batch))
        return predictions

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        return with_schedule(self.optimizer(self.parameters()), self.scheduler)

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up inputs ``(n, *input_shape)`` and targets ``(n,)``, both in [0, 1)."""
        return example_inputs(n, self.input_shape, self.device), example_inputs(n, (), self.device)
