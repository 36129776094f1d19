"""Behavioural cloning: a network that presses the keys which a driver of CarRacing pressed."""

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassAccuracy
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.checkpoints.own_networks import NamesOwnNetworks
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.protocols.driving_keys import KEYS, actions_of, keys_of
from dlmodules.sampling.examples import example_inputs, example_labels
from dlmodules.training.batches import inputs_and_targets, inputs_of
from dlmodules.training.schedules import with_schedule
from dlmodules.training.step_logging import log_losses
from dlmodules.validation.arguments import check_dropout

FRAME, VIEW = 96, 84
"""Pixels of a side of CarRacing's frame, and of the part that is looked at."""

GREY = (0.299, 0.587, 0.114)  # of red, green and blue (BT.601)
MIRRORED = (0, 1, 2, 5, 6, 3, 4)
"""The keys that are pressed in a mirror."""


def grey_view(frames: Tensor) -> Tensor:
    """Return what is looked at of frames, grey ``(B, 1, 84, 84)`` float32 in [0, 1]: without the bar at the bottom.

    Training and driving both see by this function.

    Args:
        frames: ``(B, 96, 96, 3)`` uint8, as CarRacing shows them, or ``(B, 3, 96, 96)`` in [0, 1].

    Raises:
        UserError: they are of another kind.
    """
    pictures = frames.movedim(-1, 1).float() / 255 if frames.dtype == torch.uint8 else frames
    if pictures.shape[1:] != (3, FRAME, FRAME):
        kind = f"{str(frames.dtype).removeprefix('torch.')} {list(frames.shape)}"
        raise UserError(
            f"cloning looks at frames of {FRAME} x {FRAME} pixels in colour, not {kind}: set size to {FRAME}"
        )
    side = (FRAME - VIEW) // 2
    grey = torch.einsum("c,bchw->bhw", pictures.new_tensor(GREY), pictures[:, :, :VIEW, side : side + VIEW])
    return grey[:, None]


class CloningNetwork(nn.Module):
    """Three convolutions and two linear layers, with dropout and batch norms: 455,831 parameters.

    Args:
        dropout: probability in [0, 1) with which a map, and a unit behind them, is dropped in training.
    """

    def __init__(self, dropout: float = 0.5) -> None:
        super().__init__()
        check_dropout(dropout)
        self.layers = nn.Sequential(
            *(nn.Conv2d(1, 32, 8, 4), nn.BatchNorm2d(32), nn.ELU(), nn.Dropout2d(dropout)),
            *(nn.Conv2d(32, 64, 4, 2), nn.BatchNorm2d(64), nn.ELU(), nn.Dropout2d(dropout)),
            *(nn.Conv2d(64, 64, 3), nn.ELU(), nn.Flatten(), nn.BatchNorm1d(3136), nn.Dropout(dropout)),
            *(nn.Linear(3136, 120), nn.ELU(), nn.BatchNorm1d(120), nn.Dropout(dropout)),
            nn.Linear(120, len(KEYS)),
        )

    def forward(self, view: Tensor) -> Tensor:
        """Map views ``(B, 1, 84, 84)`` in [0, 1] to a logit for each set of keys, ``(B, 7)``."""
        logits: Tensor = self.layers(view)
        return logits


class BehaviouralCloning(NamesOwnNetworks):
    """Learns from frames which keys a driver pressed, as one learns classes, and drives by the likeliest.

    The actions of the driver, by keys or not, are brought to the nearest of the seven sets of keys of
    ``dlmodules.protocols.driving_keys``.

    Logged: ``train/loss`` (cross-entropy of the batch), ``val/loss``, ``val/accuracy``, ``test/loss``,
    ``test/accuracy``.

    Paper: Bain & Sammut 1995, A Framework for Behavioural Cloning, Machine Intelligence 15.
    Books: vasilev 10.7.

    Args:
        dropout: of the default network, in [0, 1).
        balance: in [0, 1]; a frame counts by the frames of its class in the batch to the power of minus this: with 0
            all frames alike, with 1 all classes that are there alike.
        mirror: mirror half of a batch's frames in training, and their keys.
        network: maps views ``(B, 1, 84, 84)`` in [0, 1] to logits ``(B, 7)``; None builds ``CloningNetwork``.
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate, stepped after each epoch; None keeps it constant.

    Raises:
        UserError: for a number out of range, and for batches that are not frames and actions.
    """

    best_metric = ("val/loss", "min")

    def __init__(
        self,
        dropout: float = 0.5,
        balance: float = 0.5,
        mirror: bool = True,
        network: nn.Module | None = None,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3),
        scheduler: LRSchedulerCallable | None = None,
    ) -> None:
        if not 0.0 <= balance <= 1.0:
            raise UserError(f"balance is {balance}; it must be in [0, 1]")
        super().__init__()
        save_portable_hyperparameters(self)
        self.balance, self.mirror = balance, mirror
        self.network = CloningNetwork(dropout) if network is None else network
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.val_loss, self.test_loss = MeanMetric(), MeanMetric()
        self.val_accuracy, self.test_accuracy = (MulticlassAccuracy(len(KEYS), average="micro") for _ in range(2))

    @override
    def forward(self, frames: Tensor) -> Tensor:
        """Return logits ``(B, 7)`` of the keys for frames such as ``grey_view`` takes."""
        logits: Tensor = self.network(grey_view(frames))
        return logits

    @torch.no_grad()
    def act(self, observation: Tensor) -> Tensor:
        """Return the actions ``(N, 3)`` of the likeliest keys for frames ``(N, 96, 96, 3)`` uint8."""
        logits: Tensor = self(observation.to(self.device))
        return actions_of(logits.argmax(1))

    def loss(self, logits: Tensor, keys: Tensor) -> Tensor:
        """Return the cross-entropy of logits ``(B, 7)`` to the driver's keys ``(B,)``, balanced within the batch."""
        counts = torch.bincount(keys, minlength=len(KEYS)).clamp(min=1)
        weights = counts.to(logits.dtype).pow(-self.balance)
        return F.cross_entropy(logits, keys, weights)

    def mirrored(self, view: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        """Return views and keys with half of them, drawn at random, as in a mirror."""
        chosen = torch.rand(len(keys), device=keys.device) < 0.5
        view = torch.where(chosen[:, None, None, None], view.flip(-1), view)
        return view, torch.where(chosen, torch.tensor(MIRRORED, device=keys.device)[keys], keys)

    def _frames_and_keys(self, batch: Batch) -> tuple[Tensor, Tensor]:
        frames, actions = inputs_and_targets(batch, type(self).__name__)
        if actions.shape != (len(frames), 3):
            raise UserError(
                f"the actions are {list(actions.shape)}; {type(self).__name__} needs steering, gas and brake of each"
                " frame: set --data.view actions"
            )
        return frames, keys_of(actions)

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        frames, keys = self._frames_and_keys(batch)
        view = grey_view(frames)
        if self.mirror:
            view, keys = self.mirrored(view, keys)
        loss = self.loss(self.network(view), keys)
        log_losses(self, {"train/loss": loss})
        return loss

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._compare(batch, "val", self.val_loss, self.val_accuracy)

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._compare(batch, "test", self.test_loss, self.test_accuracy)

    def _compare(self, batch: Batch, stage: str, loss: MeanMetric, accuracy: MulticlassAccuracy) -> None:
        frames, keys = self._frames_and_keys(batch)
        logits: Tensor = self(frames)
        # All frames alike: what is trained by is balanced within a batch, and depends on what else is in it.
        loss.update(F.cross_entropy(logits, keys, reduction="none"))
        accuracy.update(logits, keys)
        self.log(f"{stage}/loss", loss, on_step=False, on_epoch=True, prog_bar=True)
        self.log(f"{stage}/accuracy", accuracy, on_step=False, on_epoch=True, prog_bar=True)

    @override
    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the numbers ``(B,)`` of the likeliest keys."""
        logits: Tensor = self(inputs_of(batch))
        return logits.argmax(1)

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        return with_schedule(self.optimizer(self.parameters()), self.scheduler)

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up frames ``(n, 3, 96, 96)`` in [0, 1) and actions ``(n, 3)``."""
        return example_inputs(n, (3, FRAME, FRAME), self.device), actions_of(example_labels(n, len(KEYS), self.device))
