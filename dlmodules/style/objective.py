"""What a styled picture is judged by: its content, its style, and how restless it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from dlmodules.errors import UserError

FormulaName = Literal["relative", "gatys", "book"]
Features = Mapping[str, Tensor]


def gram_matrix(features: Tensor) -> Tensor:
    """Return the mean products of all pairs of channels over all positions, ``(B, C, C)``.

    Divided by the number of positions, so that pictures of different sizes compare.

    Args:
        features: ``(B, C, H, W)``.
    """
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def squared_differences(images: Tensor) -> Tensor:
    """Return the squared distance of each pixel to the one below plus that to the one on the right.

    Args:
        images: ``(B, C, H, W)``.

    Returns:
        ``(B, C, H - 1, W - 1)``.
    """
    here = images[:, :, :-1, :-1]
    return (images[:, :, 1:, :-1] - here).square() + (images[:, :, :-1, 1:] - here).square()


def _sum(values: Tensor) -> Tensor:
    return values.flatten(1).sum(dim=1)


class LayerSize(NamedTuple):
    """How large a layer and its image are.

    Args:
        channels: of the layer.
        positions: its height times its width.
        pixels: height times width of the image.
    """

    channels: int
    positions: int
    pixels: int


@dataclass(frozen=True)
class Formula:
    """One author's distances; each gives a number for each image, ``(B,)``.

    Args:
        content: of features ``(B, C, H, W)`` to those of the content.
        style: of Gram matrices ``(B, C, C)`` to those of the style, of a layer of some size.
        variation: how restless images ``(B, C, H, W)`` in [0, 1] are.
    """

    content: Callable[[Tensor, Tensor], Tensor]
    style: Callable[[Tensor, Tensor, LayerSize], Tensor]
    variation: Callable[[Tensor], Tensor]


FORMULAS: dict[FormulaName, Formula] = {
    "relative": Formula(
        content=lambda found, wanted: _sum((found - wanted).square()) / _sum(wanted.square()),
        style=lambda found, wanted, size: _sum((found - wanted).square()) / _sum(wanted.square()),
        variation=lambda images: squared_differences(images).flatten(1).mean(dim=1),
    ),
    # E_l = sum (G - A)^2 / (4 N^2 M^2) of sums over M positions is that of means over them, divided by 4 N^2.
    "gatys": Formula(
        content=lambda found, wanted: _sum((found - wanted).square()) / 2,
        style=lambda found, wanted, size: _sum((found - wanted).square()) / (4 * size.channels**2),
        variation=lambda images: _sum(squared_differences(images)),
    ),
    # Its program has the channels and pixels of the image in the place of those of each layer, and pixels to 255.
    "book": Formula(
        content=lambda found, wanted: _sum((found - wanted).square()),
        style=lambda found, wanted, size: (
            _sum((found - wanted).square()) * size.positions**2 / (4 * 3**2 * size.pixels**2)
        ),
        variation=lambda images: _sum(squared_differences(255 * images) ** 1.25),
    ),
}
"""``relative``: each distance in parts of its target, so that weights do not depend on the network or on sizes;
``gatys``: the paper's sums; ``book``: those of foster F5.4's program."""


class Targets(NamedTuple):
    """What pictures are to have.

    Args:
        content: features of the contents, ``(B, C, H, W)`` each, by layer.
        grams: Gram matrices of the style, ``(1, C, C)`` each, by layer.
    """

    content: Features
    grams: Features


class Judgement(NamedTuple):
    """How far pictures are from their targets, each ``(B,)``.

    Args:
        content: the mean over the layers of content.
        style: the mean over those of style.
        variation: how restless they are.
    """

    content: Tensor
    style: Tensor
    variation: Tensor


class StyleObjective:
    """Content and style of pictures as a frozen network sees them.

    It is no module: its network is part of no checkpoint.

    Args:
        network: maps images ``(B, 3, H, W)`` in [0, 1] to a mapping of layers ``(B, C, H, W)``.
        content_layers: layers that tell the content.
        style_layers: layers whose Gram matrices tell the style.
        formula: of the distances.

    Raises:
        UserError: the network does not give one of the layers.
    """

    def __init__(
        self, network: nn.Module, content_layers: Sequence[str], style_layers: Sequence[str], formula: Formula
    ) -> None:
        self.network = network.requires_grad_(False).eval()
        self.content_layers, self.style_layers, self.formula = list(content_layers), list(style_layers), formula

    def features(self, images: Tensor) -> Features:
        """Return the layers of ``images`` ``(B, 1 or 3, H, W)`` in [0, 1]."""
        self.network.to(images.device, images.dtype)
        found: Features = self.network(images)
        if missing := [name for name in (*self.content_layers, *self.style_layers) if name not in found]:
            raise UserError(f"the feature network gives {', '.join(found)}, and no layer {missing[0]!r}")
        return found

    @torch.no_grad()
    def targets(self, content: Tensor, style: Tensor) -> Targets:
        """Return what pictures of the content of ``content`` ``(B, C, H, W)`` and the style of ``style`` must have.

        Several images of a style are one style: the mean of their Gram matrices.
        """
        return Targets(self.content_targets(content), self.style_targets(style))

    @torch.no_grad()
    def content_targets(self, content: Tensor) -> Features:
        """Return the features of contents ``(B, C, H, W)``."""
        found = self.features(content)
        return {name: found[name] for name in self.content_layers}

    @torch.no_grad()
    def style_targets(self, style: Tensor) -> Features:
        """Return the Gram matrices of the style of images ``(B, C, H, W)``, ``(1, C, C)`` each."""
        found = self.features(style)
        return {name: gram_matrix(found[name]).mean(dim=0, keepdim=True) for name in self.style_layers}

    def judge(self, images: Tensor, targets: Targets, formula: Formula | None = None) -> Judgement:
        """Return how far ``images`` ``(B, C, H, W)`` in [0, 1] are from ``targets``; ``formula`` replaces its own."""
        formula = formula or self.formula
        found, pixels = self.features(images), images.shape[-2] * images.shape[-1]
        contents = [formula.content(found[name], targets.content[name]) for name in self.content_layers]
        styles = []
        for name in self.style_layers:
            layer = found[name]
            size = LayerSize(layer.shape[1], layer.shape[2] * layer.shape[3], pixels)
            styles.append(formula.style(gram_matrix(layer), targets.grams[name], size))
        return Judgement(torch.stack(contents).mean(0), torch.stack(styles).mean(0), formula.variation(images))
