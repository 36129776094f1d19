"""ChauffeurNet: plans where to drive from a picture of the road seen from above."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics import MeanMetric
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.checkpoints.own_networks import NamesOwnNetworks
from dlmodules.driving import chauffeur_losses as losses
from dlmodules.driving.chauffeur_networks import COARSER, AgentRNN, FeatureNet, PerceptionRNN, Plan, RoadMaskNet
from dlmodules.errors import UserError
from dlmodules.layers.channels_last import use_channels_last
from dlmodules.protocols import Batch, DrivesByPlans
from dlmodules.protocols.top_down import AGENT, CARS, CHANNELS, LENGTH, PAST, VIEW, WIDTH
from dlmodules.sampling.examples import example_inputs
from dlmodules.training.batches import inputs_and_targets, inputs_of
from dlmodules.training.schedules import with_schedule
from dlmodules.training.step_logging import log_losses
from dlmodules.validation.arguments import check_at_least, check_at_least_one, check_fractions

CELLS = VIEW.coarser(COARSER)
"""The cells of what is planned."""

OWN = 5
"""Numbers of the car itself at each step of the targets; those of the other cars stand behind them."""


class ChauffeurNet(NamesOwnNetworks):
    """Imitates a driver by a picture from above, and learns besides what a driver never shows: not to collide.

    Pictures ``(B, 8, 64, 64)`` in [0, 1] have the channels ``dlmodules.protocols.top_down.CHANNELS``: the road, the way
    to take, the speed limit, the car's past and its box, and the other cars now and at two moments before. Targets
    ``(B, K, 5 + 5A)`` are for each of K steps how far right and ahead of here the car was, its heading, its speed, and
    how much the example counts; then of each of A other cars how far right and ahead it is, its heading, its length
    (0: no car) and its width. Lengths are in metres, headings in radians to the right.

    Convolutions make features of the picture. From them a recurrent network plans step by step where the car is to be,
    with which heading and speed, and which cells it covers; two more, for training alone, tell where the road is and
    where the other cars will be. What a data module with ``drive_by`` gives is driven in after each validation.

    Logged: ``train/loss``, ``train/imitation``, ``train/environment``, ``val/loss``, ``val/displacement`` (distance in
    metres of the waypoints to the driver's, a mean), and the like for the test; of drives by its own plans
    ``val/collisions``, ``val/off_road``, ``val/progress``, ``val/recovered`` and the like for the test.

    Paper: Bansal et al. 2018, ChauffeurNet: Learning to Drive by Imitating the Best and Synthesizing the Worst,
    arXiv:1812.03079.
    Books: vasilev 10.8.

    Args:
        steps: how many steps are planned, 1 or more.
        width: channels of the features, 1 or more.
        past_dropout: probability in [0, 1] with which an example of training does not show the car's past, so that it
            is not just gone on with.
        imitation_weight: of the losses of imitation, 0 or more.
        environment_weight: of the losses of the environment (collision, road, the driver's way, other cars, road mask),
            0 or more; with 0 the networks for training alone learn nothing.
        imitation_dropout: probability in [0, 1] with which an example has no losses of imitation.
        pixel_weight: by what the losses that are means over the cells are multiplied, 0 or more.
        feature_net: maps pictures to features ``(B, width, 32, 32)``; None builds ``FeatureNet``.
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate, stepped after each epoch; None keeps it constant.

    Raises:
        UserError: for a number out of range, and for batches of another shape.
    """

    best_metric = ("val/displacement", "min")
    small_arguments: ClassVar[Mapping[str, Any]] = {"width": 8}

    def __init__(
        self,
        steps: int = 10,
        width: int = 16,
        past_dropout: float = 0.5,
        imitation_weight: float = 1.0,
        environment_weight: float = 1.0,
        imitation_dropout: float = 0.5,
        pixel_weight: float = 50.0,
        feature_net: nn.Module | None = None,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3),
        scheduler: LRSchedulerCallable | None = None,
    ) -> None:
        check_at_least_one(steps=steps, width=width)
        check_fractions(past_dropout=past_dropout, imitation_dropout=imitation_dropout)
        check_at_least(
            0, imitation_weight=imitation_weight, environment_weight=environment_weight, pixel_weight=pixel_weight
        )
        super().__init__()
        save_portable_hyperparameters(self)
        self.steps = steps
        self.past_dropout, self.imitation_dropout = past_dropout, imitation_dropout
        self.imitation_weight, self.environment_weight = imitation_weight, environment_weight
        self.pixel_weight = pixel_weight
        self.feature_net = FeatureNet(len(CHANNELS), width) if feature_net is None else feature_net
        self.agent_rnn = AgentRNN(width, steps)
        self.road_mask_net = RoadMaskNet(width)
        self.perception_rnn = PerceptionRNN(width, steps)
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.val_loss, self.val_displacement = MeanMetric(), MeanMetric()
        self.test_loss, self.test_displacement = MeanMetric(), MeanMetric()
        self.here: Tensor
        self.register_buffer("here", VIEW.dots(torch.zeros(1), torch.zeros(1)), persistent=False)
        use_channels_last(self)

    @override
    def forward(self, pictures: Tensor) -> Plan:
        """Return what is planned for pictures ``(B, 8, 64, 64)``."""
        return self._planned(self._features(pictures), pictures)

    def plan(self, pictures: Tensor) -> Tensor:
        """Return how far right, how far ahead, at which heading and how fast to be at each step, ``(B, K, 4)``."""
        return self._likeliest(self(pictures), pictures)

    def _likeliest(self, planned: Plan, pictures: Tensor) -> Tensor:
        """Return what ``plan`` does, of what is planned for ``pictures``: the details in each step's likeliest cell."""
        cells = planned.waypoints.flatten(2).argmax(2)
        details = planned.details_in(cells)
        right, ahead = (places.flatten()[cells] for places in (part.to(pictures) for part in CELLS.places))
        right = right + details[..., 0] * CELLS.metres
        ahead = ahead - details[..., 1] * CELLS.metres
        return torch.stack([right, ahead, details[..., 2], details[..., 3].clamp(min=0.0)], dim=-1)

    def _features(self, pictures: Tensor) -> Tensor:
        features: Tensor = self.feature_net(self._checked(pictures))
        return features

    def _checked(self, pictures: Tensor) -> Tensor:
        shape = (len(CHANNELS), VIEW.pixels, VIEW.pixels)
        if pictures.shape[1:] != shape or not pictures.is_floating_point():
            kind = f"{str(pictures.dtype).removeprefix('torch.')} {list(pictures.shape)}"
            raise UserError(
                f"{type(self).__name__} takes pictures (B, {', '.join(map(str, shape))}), float32 in [0, 1], not"
                f" {kind}: choose another --data, such as TopDownRoadDataModule"
            )
        return pictures

    def _planned(self, features: Tensor, pictures: Tensor) -> Plan:
        found: Plan = self.agent_rnn(features, _coarse(pictures[:, AGENT : AGENT + 1]))
        return found

    def imitation_losses(self, planned: Plan, targets: Tensor) -> Tensor:
        """Return the losses of imitation, ``(B,)``: place, cells covered, place within its cell, heading and speed."""
        right, ahead, heading, speed = targets[..., :4].unbind(-1)
        cells = CELLS.cells(right, ahead)
        details = planned.details_in(cells)
        across, forward = (places.to(right).flatten()[cells] for places in CELLS.places)
        within = torch.stack([right - across, forward - ahead], dim=-1) / CELLS.metres
        size = targets.new_tensor([LENGTH, WIDTH]).expand(*right.shape, 2)
        boxes = CELLS.boxes(torch.cat([targets[..., :3], size], dim=-1))
        return (
            losses.waypoint_loss(planned.waypoints, cells)
            + self.pixel_weight * losses.map_loss(planned.boxes, boxes)
            # Who has left the picture is in no cell of it.
            + losses.distance_loss(details[..., :2], within.clamp(-0.5, 0.5))
            + losses.distance_loss(details[..., 2], heading)
            + losses.distance_loss(details[..., 3], speed)
        )

    def environment_losses(self, planned: Plan, features: Tensor, pictures: Tensor, targets: Tensor) -> Tensor:
        """Return the losses of the environment, ``(B,)``: collision, road, the driver's way, other cars, road mask."""
        cars = CELLS.boxes(targets[..., OWN:].reshape(*targets.shape[:2], -1, 5)).amax(2)
        # A line on the road is as bright as half of it.
        road = _coarse((2 * pictures[:, 0]).clamp(max=1.0))
        box = planned.boxes.sigmoid()
        return self.pixel_weight * (
            losses.collision_loss(box, cars)
            + losses.outside_loss(box, road)
            + losses.outside_loss(box, self._way(targets))
            + losses.map_loss(self.perception_rnn(features, _coarse(pictures[:, CARS : CARS + 1])), cars)
            + losses.map_loss(self.road_mask_net(features), road)
        )

    def _way(self, targets: Tensor) -> Tensor:
        """Return the driver's way as wide as the car, from its rear now to its front at the end: ``(B, H, W)``."""
        right, ahead, heading = targets[..., :3].unbind(-1)
        zero = torch.zeros_like(right[:, :1])
        front = LENGTH / 2 * torch.stack([heading[:, -1:].sin(), heading[:, -1:].cos()])
        right = torch.cat([zero, zero, right, right[:, -1:] + front[0]], dim=1)
        ahead = torch.cat([zero - LENGTH / 2, zero, ahead, ahead[:, -1:] + front[1]], dim=1)
        return CELLS.curve(right, ahead, WIDTH)

    def _pictures_and_targets(self, batch: Batch) -> tuple[Tensor, Tensor]:
        pictures, targets = inputs_and_targets(batch, type(self).__name__)
        wanted = [len(self._checked(pictures)), self.steps]
        if targets.ndim != 3 or list(targets.shape[:2]) != wanted or targets.shape[2] < OWN + 5 or targets.shape[2] % 5:
            raise UserError(
                f"the targets are {list(targets.shape)}; {type(self).__name__} needs"
                f" [{wanted[0]}, {wanted[1]}, 5 + 5 for each other car]"
            )
        return pictures, targets.to(pictures.dtype)

    def _losses(self, pictures: Tensor, targets: Tensor) -> tuple[Plan, Tensor, Tensor]:
        """Return the plan and the losses of imitation and of the environment, ``(B,)`` each."""
        features = self._features(pictures)
        planned = self._planned(features, pictures)
        imitation = self.imitation_losses(planned, targets)
        if self.environment_weight == 0:
            return planned, imitation, torch.zeros_like(imitation)
        return planned, imitation, self.environment_losses(planned, features, pictures, targets)

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        pictures, targets = self._pictures_and_targets(batch)
        if self.past_dropout > 0:
            pictures = self.without_past(pictures, torch.rand(len(pictures), device=self.device) < self.past_dropout)
        _, imitation, environment = self._losses(pictures, targets)
        counts = targets[:, 0, OWN - 1]
        kept = counts
        if self.imitation_dropout > 0:
            kept = counts * (torch.rand(len(pictures), device=self.device) >= self.imitation_dropout)
        imitation = self.imitation_weight * (kept * imitation).mean()
        environment = self.environment_weight * (counts * environment).mean()
        loss = imitation + environment
        log_losses(self, {"train/loss": loss, "train/imitation": imitation, "train/environment": environment})
        return loss

    def without_past(self, pictures: Tensor, rows: Tensor) -> Tensor:
        """Return pictures that show nothing of the car's past but where it is now, in ``rows`` ``(B,)``."""
        past = torch.where(rows[:, None, None], self.here.to(pictures.dtype), pictures[:, PAST])
        return torch.cat([pictures[:, :PAST], past[:, None], pictures[:, PAST + 1 :]], dim=1)

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._compare(batch, self.val_loss, self.val_displacement)

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._compare(batch, self.test_loss, self.test_displacement)

    def _compare(self, batch: Batch, loss: MeanMetric, displacement: MeanMetric) -> None:
        pictures, targets = self._pictures_and_targets(batch)
        planned, imitation, environment = self._losses(pictures, targets)
        loss.update(self.imitation_weight * imitation + self.environment_weight * environment)
        displacement.update((self._likeliest(planned, pictures)[..., :2] - targets[..., :2]).norm(dim=-1))

    @override
    def on_validation_epoch_end(self) -> None:
        self._log("val", self.val_loss, self.val_displacement)

    @override
    def on_test_epoch_end(self) -> None:
        self._log("test", self.test_loss, self.test_displacement)

    def _log(self, split: Literal["val", "test"], loss: MeanMetric, displacement: MeanMetric) -> None:
        self.log(f"{split}/loss", loss.compute())
        self.log(f"{split}/displacement", displacement.compute(), prog_bar=True)
        loss.reset()
        displacement.reset()
        data = getattr(self.trainer, "datamodule", None)
        if isinstance(data, DrivesByPlans) and not self.trainer.sanity_checking:
            scores = data.drive_by(lambda pictures: self.plan(pictures.to(self.device)).cpu(), split)
            self.log_dict({f"{split}/{name}": score for name, score in scores.items()}, prog_bar=True)

    @override
    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the plan ``(B, K, 4)``, see ``plan``."""
        return self.plan(inputs_of(batch))

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        return with_schedule(self.optimizer(self.parameters()), self.scheduler)

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up pictures ``(n, 8, 64, 64)`` and targets of two other cars, all numbers in [0, 1)."""
        pictures = example_inputs(n, (len(CHANNELS), VIEW.pixels, VIEW.pixels), self.device)
        return pictures, example_inputs(n, (self.steps, OWN + 2 * 5), self.device)


def _coarse(maps: Tensor) -> Tensor:
    """Return maps ``(..., H, W)`` of pixels as maps of cells."""
    return F.avg_pool2d(maps, COARSER)
