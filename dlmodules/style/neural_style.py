"""Neural style transfer: the picture itself is what is trained."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import torch
from pytorch_lightning.cli import OptimizerCallable
from pytorch_lightning.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.style.module import Pictures, StyleModule
from dlmodules.style.objective import FORMULAS, Targets
from dlmodules.training.step_logging import log_losses


class NeuralStyle(StyleModule):
    """A picture with the content of one image and the style of another, found by L-BFGS on its pixels.

    A training step is one call of the optimizer: 20 evaluations of the loss and its gradient for the default one, whose
    memory of the loss's curvature lasts from step to step and is in the checkpoint. The batches must be of one content.

    Logged: ``train/loss``, and its parts before their weights, ``train/content_loss``, ``train/style_loss`` and
    ``train/variation_loss``. For validation and test: ``loss``; ``content_error`` and ``style_error``, the squared
    distances in parts of their targets, whatever the formula; and ``style_of_start``, what part of the style error
    of its first picture is left.

    Paper: Gatys, Ecker & Bethge 2015, A Neural Algorithm of Artistic Style, arXiv:1508.06576.
    Books: foster F5.4, vasilev 5.18.

    Args:
        image_shape: channels, height and width of the picture.
        feature_network: of ``StyleModule``.
        content_layers: layers that tell the content.
        style_layers: layers that tell the style.
        start: the first picture: the ``content``, or ``noise``.
        restart: let the optimizer forget what it has learned of the loss before each step, as the book does.
        optimizer: makes the optimizer; any that takes the loss as a function will do.
        **kwargs: of ``StyleModule``.

    Raises:
        UserError: for a number out of range, and a name that is not known.
    """

    automatic_optimization = False
    small_arguments: ClassVar[Mapping[str, Any]] = {
        "image_shape": (3, 16, 16),
        "feature_network": "untrained",
        "content_layers": ("relu2_1",),
        "style_layers": ("relu1_1", "relu2_1"),
        "start": "noise",
    }
    data_parallel: ClassVar[bool] = False
    start_style: Tensor
    evaluations: Tensor

    def __init__(
        self,
        image_shape: Sequence[int] = (3, 256, 256),
        feature_network: str | nn.Module = "vgg19",
        content_layers: Sequence[str] = ("relu4_2",),
        style_layers: Sequence[str] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
        start: Literal["content", "noise"] = "content",
        restart: bool = False,
        optimizer: OptimizerCallable = lambda p: torch.optim.LBFGS(p, max_iter=20, max_eval=20, history_size=50),
        **kwargs: Any,
    ) -> None:
        super().__init__(image_shape, feature_network, content_layers, style_layers, **kwargs)
        if start not in ("content", "noise"):
            raise UserError(f"start is {start!r}; it must be content or noise")
        self.start, self.restart, self.optimizer = start, restart, optimizer
        self.picture = nn.Parameter(torch.full((1, *self.image_shape), 0.5))
        self.register_buffer("start_style", torch.tensor(torch.nan))
        self.register_buffer("evaluations", torch.tensor(0))
        self._targets: tuple[Pictures, Targets] | None = None

    @override
    def setup(self, stage: str) -> None:
        """Refuse a training by several processes, which would find the same picture each."""
        super().setup(stage)
        if stage == "fit" and self.trainer.world_size > 1:
            raise UserError(
                f"{type(self).__name__} makes one picture in one process, not {self.trainer.world_size}: set"
                " trainer.devices to 1"
            )

    @override
    def stylize(self, content: Tensor) -> Tensor:
        """Return the picture, ``(B, *image_shape)`` in [0, 1]: it is of one content."""
        return self.picture.detach().clamp(0, 1).expand(len(content), -1, -1, -1)

    @override
    def targets_of(self, pictures: Pictures) -> Targets:
        """Return what the picture is to have; those of the last batch are kept.

        Raises:
            UserError: there is more than one content.
        """
        if len(pictures.content) != 1:
            raise UserError(
                f"{type(self).__name__} makes one picture of one content, not of {len(pictures.content)}: set"
                " batch_size to 1, or train FastStyle"
            )
        kept = self._targets
        if kept is None or not all(torch.equal(new, old) for new, old in zip(pictures, kept[0], strict=True)):
            self._targets = pictures, self.objective.targets(*pictures)
        assert self._targets is not None
        return self._targets[1]

    @override
    def training_step(self, batch: Any, batch_idx: int) -> None:
        pictures = self.pictures_of(batch, batch_idx)
        targets = self.targets_of(pictures)
        if self.evaluations == 0:
            self.begin(pictures.content, targets)
        optimizer = self.optimizers()
        assert isinstance(optimizer, LightningOptimizer)
        if self.restart:
            optimizer.optimizer.state.clear()
        losses: dict[str, Tensor] = {}

        def evaluate() -> Tensor:
            judged = self.objective.judge(self.picture, targets)
            losses.update(self.losses(judged))
            (self.picture.grad,) = torch.autograd.grad(losses["train/loss"], self.picture)
            self.evaluations += 1
            return losses["train/loss"]

        optimizer.step(evaluate)
        log_losses(self, {name: loss.detach() for name, loss in losses.items()})

    @torch.no_grad()
    def begin(self, content: Tensor, targets: Targets) -> None:
        """Make the first picture, and keep how far it is from the style."""
        self.picture.copy_(content if self.start == "content" else torch.rand_like(content))
        self.start_style.copy_(self.objective.judge(self.picture, targets, FORMULAS["relative"]).style[0])

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.optimizer([self.picture])

    @override
    def errors(self, images: Tensor, targets: Targets) -> dict[str, Tensor]:
        found = super().errors(images, targets)
        if self.evaluations > 0:
            found["style_of_start"] = found["style_error"] / self.start_style
        return found

    @override
    def example_batch(self, n: int) -> Pictures:
        """Return a made-up content and a style: there is one of each, whatever ``n``."""
        return super().example_batch(1)
