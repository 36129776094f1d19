"""Handwriting by a recurrent mixture density network: where the pen goes next."""

from typing import Any, ClassVar

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.checkpoints.own_networks import NamesOwnNetworks
from dlmodules.errors import UserError
from dlmodules.protocols import NO_POINT, Batch
from dlmodules.sampling.devices import sampling_device
from dlmodules.training.clipping import check_max_norm, limit_gradient, loss_scale
from dlmodules.training.finite import worst_where_no_number
from dlmodules.training.schedules import with_schedule
from dlmodules.training.stage_means import StageMeans
from dlmodules.training.step_logging import log_losses
from dlmodules.validation.arguments import check_at_least, check_at_least_one
from dlmodules.validation.batches import fields_of, inputs_in
from dlmodules.world_models.handwriting_networks import HandwritingNetwork, State
from dlmodules.world_models.mixtures import bivariate_log_prob, sample_bivariate, split_bivariate


class HandwritingMDN(NamesOwnNetworks):
    """A recurrent network that writes by hand: it describes where the pen goes next, as a mixture of Gaussians.

    Batches are strokes ``(B, T, 3)`` float32, or a tuple that begins with them: at each point of the pen the offset
    x, y from the point before, and 1 where the pen is lifted after it, else 0; behind a shorter line (0, 0, -1). The
    first point is given, and each other one predicted from all before it.

    Logged: ``train/loss``, ``val/loss`` and ``test/loss``, the negative log-likelihood of a point in nats, which is
    the sum of ``val/offset_loss`` (a density of offsets in the data's unit: it may be negative) and ``val/pen_loss``;
    ``val/pen_accuracy``, how often it is foreseen whether the pen is lifted; the same of ``test/``.

    Paper: Graves 2013, Generating Sequences With Recurrent Neural Networks, arXiv:1308.0850.
    Books: foster F8.10.

    Args:
        network: in place of the one that the next arguments describe, with the methods of ``HandwritingNetwork``.
        hidden_dim: units of each LSTM.
        layers: LSTMs, each of which reads the point and the one below.
        components: Gaussians of the mixture.
        dropout: fraction of the outputs of each LSTM that are set to 0 in training.
        clip_outputs: derivatives of a point's loss by the network's outputs are clipped to this; None leaves them.
        clip_lstms: those by the outputs of each LSTM.
        bias: how neatly it writes: Graves' b, 0 or more; 0 draws from the mixture itself.
        length: points of a line that it writes.
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate, stepped after each training step; None keeps it constant.

    Raises:
        UserError: for a number out of range, and batches of another shape.
    """

    best_metric = ("val/loss", "min")
    small_arguments: ClassVar[dict[str, Any]] = {
        "hidden_dim": 24,
        "layers": 2,
        "components": 3,
        "length": 20,
        "scheduler": None,
    }

    def __init__(
        self,
        network: nn.Module | None = None,
        hidden_dim: int = 400,
        layers: int = 3,
        components: int = 20,
        dropout: float = 0.0,
        clip_outputs: float | None = 100.0,
        clip_lstms: float | None = 10.0,
        bias: float = 0.0,
        length: int = 100,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3),
        scheduler: LRSchedulerCallable | None = None,
    ) -> None:
        super().__init__()
        save_portable_hyperparameters(self)
        check_max_norm(clip_outputs, "clip_outputs")
        check_max_norm(clip_lstms, "clip_lstms")
        check_at_least(0, bias=bias)
        check_at_least_one(length=length, components=components)
        self.components = components
        self.clip_outputs, self.clip_lstms = clip_outputs, clip_lstms
        self.bias, self.length = bias, length
        self.optimizer, self.scheduler = optimizer, scheduler
        self.network = network or HandwritingNetwork(hidden_dim, layers, components, dropout)
        self.means = StageMeans(("offset_loss", "pen_loss", "pen_accuracy"))

    @override
    def forward(self, x: Tensor, text: Tensor | None = None) -> Tensor:
        """Return what comes behind each of the points ``x`` ``(B, T, 3)``, see ``HandwritingNetwork``.

        ``text`` ``(B, L)`` is for a child that writes one.
        """
        outputs: Tensor = self.network(x) if text is None else self.network(x, text)
        return outputs

    def describe(self, batch: Any) -> tuple[Tensor, Tensor]:
        """Return what the network expects at each point but the first, and what is there: ``(B, T - 1, ...)``."""
        strokes = self.strokes_of(batch)
        return self(strokes[:, :-1]), strokes[:, 1:]

    def strokes_of(self, batch: Any) -> Tensor:
        """Return the strokes of a batch.

        Raises:
            UserError: they are no points of a pen.
        """
        strokes = inputs_in(fields_of(batch))
        if not strokes.is_floating_point() or strokes.ndim != 3 or strokes.shape[1] < 2 or strokes.shape[2] != 3:
            raise UserError(
                f"{type(self).__name__} takes strokes (B, T, 3) float32 of two points or more, but the data give"
                f" {strokes.dtype} {tuple(strokes.shape)}: choose another --data, such as LetterStrokesDataModule"
            )
        return strokes

    def nats(self, outputs: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return the negative log-likelihoods ``(...)`` of offsets and pens at ``points`` ``(..., 3)``.

        Args:
            outputs: ``(..., 1 + 6K)`` of the network.
            points: what is there.
        """
        mixture = split_bivariate(outputs[..., 1:], self.components)
        pen = F.binary_cross_entropy_with_logits(outputs[..., 0].float(), points[..., 2].float(), reduction="none")
        return -bivariate_log_prob(mixture, points[..., :2]), pen

    @override
    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        inside = self.strokes_of(batch)[:, 1:, 2] >= 0
        # The loss is a mean over points, and so is each derivative: a limit for one point is the smaller.
        per_point = loss_scale(self) / inside.sum()
        if isinstance(self.network, HandwritingNetwork):
            self.network.gradient_limit = None if self.clip_lstms is None else self.clip_lstms * per_point
        outputs, points = self.describe(batch)
        if self.clip_outputs is not None:
            limit_gradient(outputs, self.clip_outputs * per_point)
        offset, pen = self.nats(outputs[inside], points[inside])
        loss = (offset + pen).mean()
        log_losses(self, {"train/loss": loss})
        return loss

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        return with_schedule(self.optimizer(self.parameters()), self.scheduler, "step")

    @override
    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate(batch, "val")

    @override
    def test_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate(batch, "test")

    def _evaluate(self, batch: Any, stage: str) -> None:
        outputs, points = self.describe(batch)
        inside = points[..., 2] >= 0
        outputs, points = outputs[inside], points[inside]
        offset, pen = self.nats(outputs, points)
        right = (outputs[:, 0] > 0) == (points[:, 2] > 0.5)
        means = self.means.of(stage)
        means["offset_loss"].update(worst_where_no_number(offset))
        means["pen_loss"].update(worst_where_no_number(pen))
        means["pen_accuracy"].update(right.float())

    @override
    def on_validation_epoch_end(self) -> None:
        self._log_evaluated("val")

    @override
    def on_test_epoch_end(self) -> None:
        self._log_evaluated("test")

    def _log_evaluated(self, stage: str) -> None:
        means = self.means.of(stage)
        if any(mean.update_count == 0 for mean in means.values()):
            return
        found = {f"{stage}/{name}": mean.compute() for name, mean in means.items()}
        found[f"{stage}/loss"] = found[f"{stage}/offset_loss"] + found[f"{stage}/pen_loss"]
        self.log_dict(found, prog_bar=True)
        for mean in means.values():
            mean.reset()

    @override
    def predict_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Return the nats of a point of each line, ``(B,)``."""
        outputs, points = self.describe(batch)
        inside = points[..., 2] >= 0
        offset, pen = self.nats(outputs, points)
        return (offset + pen).where(inside, 0.0).sum(dim=1) / inside.sum(dim=1).clamp(min=1)

    @torch.no_grad()
    def sample_strokes(
        self,
        n: int,
        generator: torch.Generator | None = None,
        bias: float | None = None,
        length: int | None = None,
    ) -> Tensor:
        """Write ``n`` lines ``(n, T, 3)`` of offsets and pens, in the data's unit.

        Args:
            n: how many, 1 or more.
            generator: of the draws.
            bias: how neatly; None for that of the module.
            length: T; None for that of the module.
        """
        check_at_least_one(n=n, length=length)
        text = torch.zeros(n, 0, dtype=torch.int64, device=self.device)
        return self.draw(text, self.length if length is None else length, generator, bias)

    def draw(
        self, text: Tensor, length: int, generator: torch.Generator | None = None, bias: float | None = None
    ) -> Tensor:
        """Write lines with the characters ``text`` ``(B, L)``, of ``length`` points at most: ``(B, T, 3)``."""
        network: Any = self.network
        bias = self.bias if bias is None else bias
        state = network.start(text)
        point = next(self.parameters()).new_zeros(len(text), 3)
        points, ended = [point], torch.zeros(len(text), dtype=torch.bool, device=self.device)
        for _ in range(length - 1):
            outputs, state = network.read(point[:, None], state)
            ended = ended | self.has_ended(state, point)
            if ended.all():
                break
            point = self.next_point(outputs[:, 0], bias, generator)
            points.append(torch.where(ended[:, None], point.new_tensor([0.0, 0.0, NO_POINT]), point))
        return torch.stack(points, dim=1)

    def next_point(self, outputs: Tensor, bias: float, generator: torch.Generator | None) -> Tensor:
        """Draw points ``(B, 3)`` from what the network expects, ``(B, 1 + 6K)``."""
        offset = sample_bivariate(split_bivariate(outputs[:, 1:], self.components), bias, generator)
        uniform = torch.rand(len(outputs), generator=generator, device=sampling_device(generator, outputs.device))
        lifted = uniform.to(outputs.device) < outputs[:, 0].float().sigmoid()
        return torch.cat([offset, lifted[:, None].to(offset)], dim=1).to(outputs.dtype)

    def has_ended(self, state: State, point: Tensor) -> Tensor:
        """Return whether lines end with the ``point`` ``(B, 3)`` that was read last: ``(B,)`` bool."""
        return torch.zeros(len(point), dtype=torch.bool, device=point.device)

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up lines: strokes ``(n, 12, 3)`` and three characters of each ``(n, 3)``."""
        draw = torch.Generator().manual_seed(0)
        offsets = torch.randn(n, 12, 2, generator=draw)
        pen = (torch.rand(n, 12, 1, generator=draw) < 0.2).float()
        text = torch.randint(1, 4, (n, 3), generator=draw)
        return torch.cat([offsets, pen], dim=2).to(self.device), text.to(self.device)
