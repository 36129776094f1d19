"""ALVINN: a small network that steers by a retina of 30 x 32 pixels and a range finder."""

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torchmetrics import MeanAbsoluteError, MeanMetric
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.sampling.examples import example_inputs
from dlmodules.training.batches import inputs_and_targets, inputs_of
from dlmodules.training.schedules import with_schedule
from dlmodules.training.step_logging import log_losses
from dlmodules.validation.arguments import check_at_least_one, check_positive
from dlmodules.validation.images import check_images

RETINA, RANGES = (30, 32), (8, 32)
"""Rows and columns of the camera and of the range finder."""

INPUTS = 30 * 32 + 8 * 32 + 1
UNITS = 45
"""Output units that stand for curvatures, from sharp left to sharp right."""

NEAR = 2 * 2 / (UNITS - 1)
"""What the steering in [-1, 1] changes over two units."""

HILL = 4
"""Units on either side of the highest one that count for the centre of mass."""

UNKNOWN = 0.5
"""What is fed in for the road's intensity before there was a frame."""


class ALVINN(LightningModule):
    """One hidden layer of 29 units steers by a camera's blue channel and a range finder: 36,702 weights.

    A row of its 1,217 inputs has 30 x 32 pixels, 8 x 32 distances and the road's intensity in the frame before; all lie
    in [0, 1]. Of its 46 outputs 45 stand for curvatures, of which those about the right one are to rise to a bump, and
    the last one tells whether the road is lighter than what is beside it. It steers for the centre of mass of the
    outputs about the highest one. While it drives, the last output is its input at the next frame: see ``drive``.

    Logged: ``train/loss`` (squared error of a row's outputs, summed, in the mean of the batch). For validation and
    test: ``within_2``, the part of the roads for which it steers within two units of what is right; ``mae``, the mean
    absolute error of the steering in [-1, 1]; ``lighter``, the part whose intensity it tells rightly.

    Paper: Pomerleau 1989, ALVINN: An Autonomous Land Vehicle in a Neural Network; for the reading of the outputs
    Pomerleau 1991, Efficient Training of Artificial Neural Networks for Autonomous Navigation.
    Books: vasilev 10.1.

    Args:
        hidden_dim: hidden units.
        bump: the target of a unit that is d units from the right place is exp(-d^2 / bump).
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate, stepped after each epoch; None keeps it constant.

    Raises:
        UserError: for a number out of range, and for batches of other shapes.
    """

    best_metric = ("val/within_2", "max")

    def __init__(
        self,
        hidden_dim: int = 29,
        bump: float = 10.0,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3),
        scheduler: LRSchedulerCallable | None = None,
    ) -> None:
        check_at_least_one(hidden_dim=hidden_dim)
        check_positive(bump=bump)
        super().__init__()
        save_portable_hyperparameters(self)
        self.input_shape = (INPUTS,)
        self.network = nn.Sequential(
            nn.Linear(INPUTS, hidden_dim), nn.Tanh(), nn.Linear(hidden_dim, UNITS + 1), nn.Sigmoid()
        )
        self.bump = bump
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.val_within_2, self.val_mae, self.val_lighter = MeanMetric(), MeanAbsoluteError(), MeanMetric()
        self.test_within_2, self.test_mae, self.test_lighter = MeanMetric(), MeanAbsoluteError(), MeanMetric()

    @override
    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs ``(B, 46)`` in (0, 1) for rows ``(B, 1217)`` in [0, 1]."""
        outputs: Tensor = self.network(2 * x - 1)  # about 0, where a gradient has no direction that all weights share
        return outputs

    def steering_of(self, outputs: Tensor) -> Tensor:
        """Return the steering ``(B,)`` in [-1, 1] that outputs ``(B, 46)`` mean; negative is left."""
        curves = outputs[:, :UNITS]
        units = torch.arange(UNITS, device=curves.device)
        highest = curves.argmax(dim=1, keepdim=True)
        hill = curves * ((units - highest).abs() <= HILL)
        return (hill * units).sum(dim=1) / hill.sum(dim=1) * 2 / (UNITS - 1) - 1

    def steer(self, x: Tensor) -> Tensor:
        """Return the steering ``(B,)`` in [-1, 1] for rows ``(B, 1217)``."""
        return self.steering_of(self(x))

    def drive(self, seen: Tensor, lighter: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the steering ``(B,)`` for frames ``(B, 1216)``, and what is to be given back at the next of them.

        ``lighter`` ``(B,)`` is what came with the steering of the frame before; None at the first.
        """
        known = torch.full_like(seen[:, 0], UNKNOWN) if lighter is None else lighter
        outputs = self(torch.cat([seen, known.unsqueeze(1)], dim=1))
        return self.steering_of(outputs), outputs[:, UNITS]

    def targets(self, y: Tensor) -> Tensor:
        """Return what the outputs ``(B, 46)`` are to be for ``y`` ``(B, 2)``: the steering, and whether it is lighter.

        The bump lies about the place of the steering, which is between two units as a rule.
        """
        places = (y[:, :1] + 1) * (UNITS - 1) / 2
        distances = torch.arange(UNITS, device=y.device) - places
        return torch.cat([(-distances.square() / self.bump).exp(), y[:, 1:]], dim=1)

    def loss(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return the squared error of outputs ``(B, 46)``, summed over them, in the mean of the batch."""
        return (outputs - self.targets(y)).square().sum(dim=1).mean()

    def _outputs_and_targets(self, batch: Batch) -> tuple[Tensor, Tensor]:
        x, y = inputs_and_targets(batch, type(self).__name__)
        check_images(x, self.input_shape, type(self).__name__, "data")
        if y.shape != (len(x), 2):
            raise UserError(
                f"the targets are {list(y.shape)}; {type(self).__name__} needs two numbers per row: the steering in"
                " [-1, 1], and 1 where the road is lighter than what is beside it, else 0"
            )
        return self(x), y.to(x.dtype)

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        loss = self.loss(*self._outputs_and_targets(batch))
        log_losses(self, {"train/loss": loss})
        return loss

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._compare(batch, self.val_within_2, self.val_mae, self.val_lighter)

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._compare(batch, self.test_within_2, self.test_mae, self.test_lighter)

    def _compare(self, batch: Batch, within_2: MeanMetric, mae: MeanAbsoluteError, lighter: MeanMetric) -> None:
        outputs, y = self._outputs_and_targets(batch)
        steering, wanted = self.steering_of(outputs), y[:, 0].contiguous()
        within_2.update(((steering - wanted).abs() <= NEAR).float())
        mae.update(steering, wanted)
        lighter.update(((outputs[:, UNITS] > 0.5) == (y[:, 1] > 0.5)).float())

    @override
    def on_validation_epoch_end(self) -> None:
        self._log("val", self.val_within_2, self.val_mae, self.val_lighter)

    @override
    def on_test_epoch_end(self) -> None:
        self._log("test", self.test_within_2, self.test_mae, self.test_lighter)

    def _log(self, stage: str, within_2: MeanMetric, mae: MeanAbsoluteError, lighter: MeanMetric) -> None:
        self.log(f"{stage}/within_2", within_2.compute(), prog_bar=True)
        self.log(f"{stage}/mae", mae.compute(), prog_bar=True)
        self.log(f"{stage}/lighter", lighter.compute())
        for metric in (within_2, mae, lighter):
            metric.reset()

    @override
    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the steering ``(B,)`` in [-1, 1]."""
        return self.steer(inputs_of(batch))

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        return with_schedule(self.optimizer(self.parameters()), self.scheduler)

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up rows ``(n, 1217)``, steerings in [-1, 1) and intensities of 0 and 1: ``(n, 2)``."""
        steering = 2 * example_inputs(n, (), self.device) - 1
        return example_inputs(n, self.input_shape, self.device), torch.stack([steering, (steering > 0).float()], dim=1)
