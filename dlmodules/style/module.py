"""The base of what gives pictures a style: what they are judged by, and batches of contents and a style."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.checkpoints.own_networks import NamesOwnNetworks
from dlmodules.errors import UserError
from dlmodules.protocols import CONTENT_AND_STYLE
from dlmodules.style.objective import FORMULAS, FormulaName, Judgement, StyleObjective, Targets
from dlmodules.style.vgg import Pooling, load_feature_network
from dlmodules.validation.arguments import check_at_least
from dlmodules.validation.batches import inputs_in, parts_of
from dlmodules.validation.images import check_image_shape, check_images, check_unit_range


class Pictures(NamedTuple):
    """A batch of pictures in [0, 1].

    Args:
        content: ``(B, *image_shape)``.
        style: ``(S, C, H, W)`` of one style, of any size.
    """

    content: Tensor
    style: Tensor


class StyleModule(NamesOwnNetworks):
    """Pictures with the content of one image and the style of another.

    A child defines ``stylize``, ``targets_of`` and its training. Batches are ``(content, style)``: images
    ``(B, *image_shape)`` and ``(S, C, H, W)``, float32 in [0, 1], or a dictionary with these names. A picture's
    content is what a frozen network makes of it, its style how often what the network sees occurs together, wherever
    that is.

    Args:
        image_shape: channels, height and width of the pictures; channels are 1 or 3.
        feature_network: ``vgg19`` or ``vgg16``, from torchvision's cache or downloaded; the path of a safetensors file
            with the weights of one of them; ``untrained``; or a network that maps images ``(B, 3, H, W)`` in [0, 1] to
            a mapping of layers. It is loaded when training, validation or the test begins, and is in no checkpoint.
        content_layers: layers that tell the content.
        style_layers: layers that tell the style.
        content_weight: weight of the distance to the content, 0 or more.
        style_weight: weight of the distance to the style.
        variation_weight: weight of total variation, how far pixels are from their neighbours.
        formula: ``relative``, each distance in parts of its target, so that the weights suit any network and size;
            ``gatys``, the paper's sums; or ``book``, those of the book's program.
        pooling: of VGG: ``max``, as it was trained, or ``average``.

    Raises:
        UserError: for a number out of range, and a name that is not known.
    """

    best_metric = ("val/loss", "min")

    def __init__(
        self,
        image_shape: Sequence[int],
        feature_network: str | nn.Module,
        content_layers: Sequence[str],
        style_layers: Sequence[str],
        content_weight: float = 1.0,
        style_weight: float = 50.0,
        variation_weight: float = 0.0,
        formula: FormulaName = "relative",
        pooling: Pooling = "max",
    ) -> None:
        check_image_shape(image_shape)
        check_at_least(0, content_weight=content_weight, style_weight=style_weight, variation_weight=variation_weight)
        if image_shape[0] not in (1, 3):
            raise UserError(f"image_shape is {list(image_shape)}; pictures have 1 channel or 3")
        if not content_layers or not style_layers:
            raise UserError("content_layers and style_layers need one layer or more each")
        if formula not in FORMULAS:
            raise UserError(f"formula is {formula!r}; it must be {', '.join(FORMULAS)}")
        if pooling not in ("max", "average"):
            raise UserError(f"pooling is {pooling!r}; it must be max or average")
        super().__init__()
        save_portable_hyperparameters(self)
        self.image_shape = tuple(image_shape)
        # A frozen network is no part of the module: neither of its parameters nor of its checkpoints.
        self._feature_networks = [feature_network]
        self.content_layers, self.style_layers = list(content_layers), list(style_layers)
        self.content_weight, self.style_weight = content_weight, style_weight
        self.variation_weight, self.formula, self.pooling = variation_weight, formula, pooling

    @cached_property
    def objective(self) -> StyleObjective:
        """What pictures are judged by; its network is loaded when it is first asked for.

        Raises:
            UserError: the network cannot be had, or lacks a layer.
        """
        source = self._feature_networks[0]
        layers = [*self.content_layers, *self.style_layers]
        network = load_feature_network(source, layers, self.pooling) if isinstance(source, str) else source
        return StyleObjective(network, self.content_layers, self.style_layers, FORMULAS[self.formula])

    def stylize(self, content: Tensor) -> Tensor:
        """Return pictures ``(B, *image_shape)`` in [0, 1] of ``content``, of the same shape, in the style."""
        raise NotImplementedError

    def targets_of(self, pictures: Pictures) -> Targets:
        """Return what the styled pictures of a batch are to have."""
        raise NotImplementedError

    @override
    def forward(self, content: Tensor) -> Tensor:
        """Return ``content`` in the style, as ``stylize`` does."""
        return self.stylize(content)

    @override
    def setup(self, stage: str) -> None:
        """Load the frozen network, for all but ``predict``."""
        super().setup(stage)
        if stage != "predict":
            _ = self.objective

    def pictures_of(self, batch: Any, batch_idx: int = 0) -> Pictures:
        """Return the pictures of a batch.

        Raises:
            UserError: the batch has no pictures of both kinds, or they have other shapes or leave [0, 1].
        """
        name, fields = type(self).__name__, parts_of(batch, CONTENT_AND_STYLE)
        if len(fields) < 2 or not fields[1].is_floating_point():
            raise UserError(
                f"{name} needs batches of images and targets: contents, and what has the style; choose another --data,"
                " such as StyledImagesDataModule"
            )
        content, style = (inputs_in((field,)) for field in fields[:2])
        check_images(content, self.image_shape, name)
        if style.ndim != 4 or style.shape[1] not in (1, 3):
            raise UserError(f"{name} was given a style {tuple(style.shape)}; it must be images (S, 1 or 3, H, W)")
        if batch_idx == 0:  # see validation.device_reads
            for images in (content, style):
                check_unit_range(images, name)
        return Pictures(content, style)

    def weighed(self, content: Tensor, style: Tensor, variation: Tensor) -> Tensor:
        """Return the sum of the three distances ``(B,)`` by their weights."""
        return self.content_weight * content + self.style_weight * style + self.variation_weight * variation

    def losses(self, judged: Judgement) -> dict[str, Tensor]:
        """Return the mean loss of pictures, ``train/loss``, and of each of its parts before their weights."""
        parts = {f"train/{name}_loss": part.mean() for name, part in judged._asdict().items()}
        return {"train/loss": self.weighed(*judged).mean(), **parts}

    def example_batch(self, n: int) -> Pictures:
        """Return ``n`` made-up contents and a style."""
        draw = torch.Generator().manual_seed(0)
        contents = torch.rand(n, *self.image_shape, generator=draw)
        return Pictures(contents.to(self.device), torch.rand(1, *self.image_shape, generator=draw).to(self.device))

    def errors(self, images: Tensor, targets: Targets) -> dict[str, Tensor]:
        """Return the mean loss of ``images`` ``(B, *image_shape)``, and their distances in parts of ``targets``."""
        judged = self.objective.judge(images, targets)
        relative = judged if self.formula == "relative" else self.objective.judge(images, targets, FORMULAS["relative"])
        errors = {"content_error": relative.content, "style_error": relative.style}
        return {name: value.mean() for name, value in {"loss": self.weighed(*judged), **errors}.items()}

    @override
    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "val")

    @override
    def test_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "test")

    def _evaluate(self, batch: Any, batch_idx: int, stage: str) -> None:
        pictures = self.pictures_of(batch, batch_idx)
        found = self.errors(self.stylize(pictures.content), self.targets_of(pictures))
        metrics = {f"{stage}/{name}": value for name, value in found.items()}
        self.log_dict(metrics, batch_size=len(pictures.content), prog_bar=True, sync_dist=True)

    @override
    def predict_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Return the contents of a batch in the style, ``(B, *image_shape)``."""
        return self.stylize(self.pictures_of(batch, batch_idx).content)
