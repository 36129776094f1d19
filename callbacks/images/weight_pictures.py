"""The weights of a network's first layer as pictures."""

from collections.abc import Sequence
from math import prod

import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor, nn
from typing_extensions import override

from callbacks.base.grids import Picture, image_grid
from callbacks.base.inference import undisturbed
from callbacks.base.media import save_image
from callbacks.base.plotting import PlottingCallback
from callbacks.base.trainers import datamodule_of
from dlmodules.errors import UserError
from dlmodules.protocols import HasImageShape, HasInputShape, ShowsFilters

MIN_TILE = 56


class WeightPictures(PlottingCallback):
    """Plots the weights of the first layer as pictures: units of a dense network, or filters of a convolution.

    Grey is a weight of zero, white and black are the unit's largest weight and its negative. Where three channels
    come in, they are red, green and blue. More units than ``num`` are chosen by lot, the same ones each time. The
    module says the shape of an image in ``input_shape``, or the data module in ``image_shape``. Picture: ``weights``;
    and ``weights_<layer>`` for each layer that a module pictures by ``filters``.

    Args:
        num: at most that many units or filters.
        every_n_epochs: plot after each that many epochs, and when the training ends.
        columns: pictures in a row.
        color: show three channels in colour; else their mean in grey.
        seed: seed of the lot. It touches no other random numbers.
    """

    def __init__(
        self, num: int = 100, every_n_epochs: int = 1, columns: int = 10, color: bool = True, seed: int = 0
    ) -> None:
        super().__init__(every_n_epochs)
        if num < 1 or columns < 1:
            raise UserError("WeightPictures: num and columns must be 1 or more")
        self.num = num
        self.columns = columns
        self.color = color
        self.seed = seed

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module whose first layer makes no pictures."""
        super().setup(trainer, pl_module, stage)
        _pictures_of(first_layer(pl_module), _input_shape(trainer, pl_module))

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        with undisturbed(trainer, pl_module):  # for the averaged weights, where there are some
            found = {"weights": _pictures_of(first_layer(pl_module), _input_shape(trainer, pl_module))}
            if isinstance(pl_module, ShowsFilters):
                found |= {f"weights_{layer}": weights for layer, weights in pl_module.filters().items()}
            found = {name: weights.float().cpu() for name, weights in found.items()}
        if not trainer.is_global_zero:
            return
        for name, weights in found.items():
            save_image(trainer, name, self._picture(weights), caption=f"epoch {trainer.current_epoch}")

    def _picture(self, weights: Tensor) -> Picture:
        weights = weights[chosen_units(len(weights), self.num, self.seed)]
        if weights.shape[1] != 3 or not self.color:
            weights = weights.mean(dim=1, keepdim=True)
        return image_grid(around_grey(weights), self.columns, min_tile=MIN_TILE)


def first_layer(module: nn.Module) -> nn.Linear | nn.Conv2d | None:
    """The dense layer or convolution that ``module`` has before all others; None where it has neither."""
    return next((part for part in module.modules() if isinstance(part, (nn.Linear, nn.Conv2d))), None)


def chosen_units(units: int, num: int, seed: int) -> Tensor:
    """Indices ``(min(units, num),)`` of units: all of them, or ``num`` different ones by lot, in their order."""
    if units <= num:
        return torch.arange(units)
    # Every unit may be chosen, the last one too, and the ones that are chosen are the ones that are shown.
    return torch.randperm(units, generator=torch.Generator().manual_seed(seed))[:num].sort().values


def around_grey(weights: Tensor) -> Tensor:
    """Map each picture of ``weights (N, C, H, W)`` to [0, 1]: zero to 0.5, its largest magnitude to 0 or 1."""
    largest = weights.abs().amax(dim=(1, 2, 3), keepdim=True).clamp(min=1e-12)
    return 0.5 + 0.5 * weights / largest


def _input_shape(trainer: Trainer, pl_module: LightningModule) -> Sequence[int] | None:
    shape = pl_module.input_shape if isinstance(pl_module, HasInputShape) else None
    data = datamodule_of(trainer)
    return shape or (data.image_shape if isinstance(data, HasImageShape) else None)


def _pictures_of(layer: nn.Linear | nn.Conv2d | None, shape: Sequence[int] | None) -> Tensor:
    """Return the layer's weights as ``(units, C, H, W)``."""
    if isinstance(layer, nn.Conv2d):
        return layer.weight.detach()
    if layer is None:
        raise UserError("WeightPictures plots the weights of a dense layer or a convolution; this module has neither")
    if shape is None or len(shape) != 3:
        found = "says nothing" if shape is None else f"says {list(shape)}"
        raise UserError(
            "WeightPictures needs the shape (C, H, W) of the images that the first layer reads, as the module's"
            f" `input_shape`; it {found}"
        )
    if prod(shape) != layer.in_features:
        raise UserError(
            f"WeightPictures: the first dense layer reads {layer.in_features} numbers,"
            f" not the {prod(shape)} of an image {list(shape)}"
        )
    return layer.weight.detach().view(-1, *shape)
