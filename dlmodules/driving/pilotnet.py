"""PilotNet: a convolutional network that steers a car by what its camera sees."""

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics import MeanAbsoluteError, R2Score
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.checkpoints.own_networks import NamesOwnNetworks
from dlmodules.driving.visual_backprop import visual_backprop
from dlmodules.errors import UserError
from dlmodules.layers.activations import make_activation
from dlmodules.layers.channels_last import use_channels_last
from dlmodules.protocols import Batch
from dlmodules.sampling.examples import example_inputs
from dlmodules.training.batches import inputs_and_targets, inputs_of
from dlmodules.training.schedules import with_schedule
from dlmodules.training.step_logging import log_losses
from dlmodules.validation.arguments import check_dropout

PLANES = (66, 200)
"""Height and width of what the network sees."""

YUV = ((0.299, 0.587, 0.114), (-0.14713, -0.28886, 0.436), (0.615, -0.51499, -0.10001))
"""Brightness and two colour differences of red, green and blue (BT.601)."""


class PilotNetwork(nn.Module):
    """Five convolutions without padding and four fully connected layers: 252,219 parameters.

    Args:
        activation: ``elu``, ``relu`` or another name of ``dlmodules.layers.activations``, behind all layers but the
            last.
        dropout: probability in [0, 1) with which each of the 1,152 features, and each of the 100 units behind them,
            is dropped in training.
    """

    def __init__(self, activation: str = "elu", dropout: float = 0.0) -> None:
        super().__init__()
        check_dropout(dropout)
        self.activation, self.dropout = activation, dropout
        layers: list[nn.Module] = []
        for before, after, kernel, stride in ((3, 24, 5, 2), (24, 36, 5, 2), (36, 48, 5, 2), (48, 64, 3, 1)):
            layers += [nn.Conv2d(before, after, kernel, stride), make_activation(activation)]
        self.convolutions = nn.Sequential(*layers, nn.Conv2d(64, 64, 3), make_activation(activation))
        self.hidden = nn.Sequential(
            *(nn.Flatten(), nn.Dropout(dropout), nn.Linear(1152, 100), make_activation(activation)),
            *(nn.Dropout(dropout), nn.Linear(100, 50), make_activation(activation)),
            *(nn.Linear(50, 10), make_activation(activation)),
        )
        self.head = nn.Linear(10, 1)

    def forward(self, planes: Tensor) -> Tensor:
        """Map planes ``(B, 3, 66, 200)`` to steering ``(B, 1)``."""
        steering: Tensor = self.head(self.hidden(self.convolutions(planes)))
        return steering


class PilotNet(NamesOwnNetworks):
    """Five convolutions and four linear layers steer a car by one camera: 252,219 parameters.

    Frames of any size are cropped at the top, resized to 66 x 200 and brought to YUV about 0 by fixed numbers. Its
    answer is trained by the mean squared error of what a driver did; ``steer`` keeps it within [-1, 1].

    Logged: ``train/loss`` (mean squared error of the batch), ``val/mae``, ``val/r2``, ``test/mae``, ``test/r2``.

    Paper: Bojarski et al. 2016, End to End Learning for Self-Driving Cars, arXiv:1604.07316; for the saliency Bojarski
    et al. 2016, VisualBackProp, arXiv:1611.05418.
    Books: vasilev 10.6.

    Args:
        crop_top: part of the height of a frame that is cut off at its top, in [0, 1): what is above the road.
        activation: ``elu``, ``relu`` or another name of ``dlmodules.layers.activations``, behind all layers of the
            default network but the last.
        dropout: probability in [0, 1) with which a feature of the default network's fully connected part is dropped
            in training.
        network: maps planes ``(B, 3, 66, 200)``, about -1 to 1, to steering ``(B, 1)``; None builds ``PilotNetwork``.
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate, stepped after each epoch; None keeps it constant.

    Raises:
        UserError: for a number out of range, and for batches that are not frames and a number for each.
    """

    best_metric = ("val/mae", "min")

    def __init__(
        self,
        crop_top: float = 1 / 3,
        activation: str = "elu",
        dropout: float = 0.0,
        network: nn.Module | None = None,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3),
        scheduler: LRSchedulerCallable | None = None,
    ) -> None:
        if not 0.0 <= crop_top < 1.0:
            raise UserError(f"crop_top is {crop_top}; it must be a part of the height in [0, 1)")
        super().__init__()
        save_portable_hyperparameters(self)
        self.crop_top = crop_top
        self.network = PilotNetwork(activation, dropout) if network is None else network
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.val_mae, self.val_r2 = MeanAbsoluteError(), R2Score()
        self.test_mae, self.test_r2 = MeanAbsoluteError(), R2Score()
        self.yuv: Tensor
        self.register_buffer("yuv", torch.tensor(YUV), persistent=False)
        use_channels_last(self)

    def planes(self, frames: Tensor) -> Tensor:
        """Return what the network sees of frames ``(B, 3, H, W)`` in [0, 1]: YUV ``(B, 3, 66, 200)`` about -1 to 1."""
        if frames.ndim != 4 or frames.shape[1] != 3 or not frames.is_floating_point():
            kind = f"{str(frames.dtype).removeprefix('torch.')} {list(frames.shape)}"
            raise UserError(
                f"{type(self).__name__} takes frames (B, 3, height, width), float32 in [0, 1], not {kind}:"
                " choose another --data, such as TubDataModule"
            )
        road = frames[:, :, self._cut(frames.shape[2]) :]
        resized = F.interpolate(road, PLANES, mode="bilinear", antialias=True)
        yuv = torch.einsum("ij,bjhw->bihw", self.yuv.to(resized.dtype), resized)
        # Brightness in [0, 1] to [-1, 1]; the two differences lie about 0 already, within half of that.
        return 2 * yuv - yuv.new_tensor([1.0, 0.0, 0.0]).view(3, 1, 1)

    def _cut(self, height: int) -> int:
        """Return how many of ``height`` rows are cut off; one at least is left."""
        return min(int(self.crop_top * height + 1e-6), height - 1)

    @override
    def forward(self, frames: Tensor) -> Tensor:
        """Return the network's answer ``(B,)`` to frames ``(B, 3, H, W)``, which is not yet kept within [-1, 1]."""
        answer: Tensor = self.network(self.planes(frames))
        return answer.squeeze(1)

    def steer(self, frames: Tensor) -> Tensor:
        """Return the steering ``(B,)`` in [-1, 1] for frames ``(B, 3, H, W)``; negative is left."""
        answer: Tensor = self(frames)
        return answer.clamp(-1.0, 1.0)

    def saliency(self, frames: Tensor) -> Tensor:
        """Return where in frames ``(B, 3, H, W)`` the network looks, by VisualBackProp: ``(B, 1, H, W)`` in [0, 1].

        Each frame has its own scale. What is cut off is 0.
        """
        planes, cut = self.planes(frames), self._cut(frames.shape[2])
        found = visual_backprop(self.network, planes)
        height, width = frames.shape[2] - cut, frames.shape[3]
        return F.pad(F.interpolate(found, (height, width), mode="bilinear"), (0, 0, cut, 0))

    def loss(self, answers: Tensor, steering: Tensor) -> Tensor:
        """Return the mean squared error of answers ``(B,)`` to the driver's steering ``(B,)``."""
        return F.mse_loss(answers, steering)

    def _frames_and_steering(self, batch: Batch) -> tuple[Tensor, Tensor]:
        frames, steering = inputs_and_targets(batch, type(self).__name__)
        if steering.shape != frames.shape[:1]:
            raise UserError(f"the targets are {list(steering.shape)}; {type(self).__name__} needs one number per frame")
        return frames, steering.to(frames.dtype)

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        frames, steering = self._frames_and_steering(batch)
        loss = self.loss(self(frames), steering)
        log_losses(self, {"train/loss": loss})
        return loss

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._compare(batch, self.val_mae, self.val_r2)

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._compare(batch, self.test_mae, self.test_r2)

    def _compare(self, batch: Batch, mae: MeanAbsoluteError, r2: R2Score) -> None:
        frames, steering = self._frames_and_steering(batch)
        found = self.steer(frames)
        mae.update(found, steering)
        r2.update(found, steering)

    @override
    def on_validation_epoch_end(self) -> None:
        self._log("val", self.val_mae, self.val_r2)

    @override
    def on_test_epoch_end(self) -> None:
        self._log("test", self.test_mae, self.test_r2)

    def _log(self, stage: str, mae: MeanAbsoluteError, r2: R2Score) -> None:
        self.log(f"{stage}/mae", mae.compute(), prog_bar=True)
        if int(r2.total) >= 2:  # a single target has no variance that could be explained
            self.log(f"{stage}/r2", r2.compute(), prog_bar=True)
        mae.reset()
        r2.reset()

    @override
    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the steering ``(B,)`` in [-1, 1]."""
        return self.steer(inputs_of(batch))

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        return with_schedule(self.optimizer(self.parameters()), self.scheduler)

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up frames ``(n, 3, 120, 160)`` in [0, 1) and as many steerings in [-1, 1)."""
        return example_inputs(n, (3, 120, 160), self.device), 2 * example_inputs(n, (), self.device) - 1
