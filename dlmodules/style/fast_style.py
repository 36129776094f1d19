"""Fast style transfer: a network learns to give any picture one style in a single pass."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.layers.normalization import ImageNorm
from dlmodules.style.module import Pictures, StyleModule
from dlmodules.style.objective import Features, Targets
from dlmodules.style.transform_network import TransformNetwork
from dlmodules.training.schedules import with_schedule
from dlmodules.training.step_logging import log_losses
from dlmodules.validation.arguments import check_direction
from dlmodules.validation.images import check_images


class FastStyle(StyleModule):
    """A network that gives any picture one style, trained on pictures of any content.

    Logged: ``train/loss``, and its parts before their weights, ``train/content_loss``, ``train/style_loss`` and
    ``train/variation_loss``. For validation and test: ``loss``, and ``content_error`` and ``style_error``, the squared
    distances in parts of their targets, whatever the formula.

    Paper: Johnson, Alahi & Fei-Fei 2016, Perceptual Losses for Real-Time Style Transfer and Super-Resolution,
        arXiv:1603.08155.
    Books: vasilev 5.19, foster F5.5.

    Args:
        network: in place of the one that the next arguments describe: maps pictures ``(B, C, H, W)`` in [0, 1] to
            pictures of that shape.
        image_shape: channels, height and width of the pictures that it is trained on; it styles those of any size.
        width: filters of the first convolution.
        blocks: residual blocks.
        norm: ``instance``, ``batch``, ``layer``, ``group`` or ``none``.
        feature_network: of ``StyleModule``.
        content_layers: layers that tell the content.
        style_layers: layers that tell the style.
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate, stepped after each training step; None keeps it constant.
        **kwargs: of ``StyleModule``.

    Raises:
        UserError: for a number out of range, and a name that is not known.
    """

    directions: tuple[str, ...] = ("a2b",)
    small_arguments: ClassVar[Mapping[str, Any]] = {
        "network": None,
        "image_shape": (3, 16, 16),
        "width": 4,
        "blocks": 1,
        "feature_network": "untrained",
        "content_layers": ("relu2_1",),
        "style_layers": ("relu1_1", "relu2_1"),
        "scheduler": None,
    }

    def __init__(
        self,
        network: nn.Module | None = None,
        image_shape: Sequence[int] = (3, 256, 256),
        width: int = 32,
        blocks: int = 5,
        norm: ImageNorm = "instance",
        feature_network: str | nn.Module = "vgg16",
        content_layers: Sequence[str] = ("relu3_3",),
        style_layers: Sequence[str] = ("relu1_2", "relu2_2", "relu3_3", "relu4_3"),
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3),
        scheduler: LRSchedulerCallable | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(image_shape, feature_network, content_layers, style_layers, **kwargs)
        self.network = network or TransformNetwork(self.image_shape[0], width, blocks, norm)
        self.optimizer, self.scheduler = optimizer, scheduler
        self._style: tuple[Tensor, Features] | None = None

    @property
    def domain_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Channels, height and width of what it is trained on, and of the same in the style."""
        return {"a": self.image_shape, "b": self.image_shape}

    @override
    def stylize(self, content: Tensor) -> Tensor:
        """Return pictures ``(B, C, H, W)`` in [0, 1], of any size, in the style; a grey one for one of 3 channels too.

        Raises:
            UserError: they have another number of channels.
        """
        channels = self.image_shape[0]
        images = content.expand(-1, channels, -1, -1) if content.shape[1] == 1 else content
        check_images(images, (channels, *images.shape[-2:]), type(self).__name__)
        styled: Tensor = self.network(images)
        return styled

    def translate(self, x: Tensor, direction: str = "a2b") -> Tensor:
        """Return pictures ``x`` in the style; there is no way back.

        Raises:
            UserError: the direction is another than ``a2b``, or they have another number of channels.
        """
        check_direction(direction, self.directions, type(self).__name__)
        return self.stylize(x)

    @override
    def targets_of(self, pictures: Pictures) -> Targets:
        """Return what the styled pictures are to have; the Gram matrices of the last style are kept."""
        if self._style is None or not torch.equal(pictures.style, self._style[0]):
            self._style = pictures.style, self.objective.style_targets(pictures.style)
        return Targets(self.objective.content_targets(pictures.content), self._style[1])

    @override
    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        pictures = self.pictures_of(batch, batch_idx)
        losses = self.losses(self.objective.judge(self(pictures.content), self.targets_of(pictures)))
        log_losses(self, losses)
        return losses["train/loss"]

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        return with_schedule(self.optimizer(self.network.parameters()), self.scheduler, "step")
