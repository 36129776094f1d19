"""Rows of two numbers and their reconstructions."""

from typing import TYPE_CHECKING, ClassVar

import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from callbacks.base.inference import undisturbed
from callbacks.base.media import save_figure
from callbacks.base.plotting import PlottingCallback
from callbacks.base.trainers import datamodule_of
from dlmodules.errors import UserError
from dlmodules.protocols import HasInputShape, HasRows, HasTrainSet, Reconstructs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 50  # rows that are joined with their reconstructions


class RowReconstructions(PlottingCallback):
    """Plots training rows of two numbers as points, and what an autoencoder reconstructs of them.

    Some points are joined with their reconstructions by a line. Works with any module that has ``reconstruct`` and
    takes two numbers, such as ``StateAutoencoder``; the data module keeps its training rows as ``train_set.x``.
    Picture: ``row_reconstructions``.

    Args:
        num: at most that many rows, the first of the training set, 1 or more.
        every_n_epochs: plot after each that many epochs, and when the training ends.
    """

    needs: ClassVar[tuple[type, ...]] = (Reconstructs,)

    def __init__(self, num: int = 1000, every_n_epochs: int = 10) -> None:
        super().__init__(every_n_epochs)
        if num < 1:
            raise UserError(f"RowReconstructions: num must be 1 or more, not {num}")
        self.num = num

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module of other inputs than two numbers."""
        super().setup(trainer, pl_module, stage)
        shape = pl_module.input_shape if isinstance(pl_module, HasInputShape) else None
        if shape is None or tuple(shape) != (2,):
            raise UserError(
                f"RowReconstructions plots rows of two numbers; {type(pl_module).__name__} has the input_shape"
                f" {None if shape is None else list(shape)}"
            )

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        data = datamodule_of(trainer)
        rows = data.train_set if isinstance(data, HasTrainSet) else None
        if not (isinstance(rows, HasRows) and isinstance(rows.x, Tensor)):
            raise UserError("RowReconstructions needs a data module that keeps its rows as train_set.x")
        assert isinstance(pl_module, Reconstructs)
        x = rows.x[: self.num].float()
        with undisturbed(trainer, pl_module):
            found = pl_module.reconstruct(trainer.precision_plugin.convert_input(x.to(pl_module.device)))
        if trainer.is_global_zero:
            save_figure(trainer, "row_reconstructions", reconstruction_figure(x.cpu(), found.float().cpu()))


def reconstruction_figure(x: Tensor, found: Tensor) -> "Figure":
    """Plot points ``(N, 2)`` and their reconstructions ``(N, 2)``, the first of which are joined by lines."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 5.4), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    pairs = torch.stack([x[:SHOWN], found[:SHOWN]]).permute(2, 0, 1).numpy()
    axes.plot(pairs[0], pairs[1], color="0.75", linewidth=0.8, zorder=1)
    axes.plot(x[:, 0].numpy(), x[:, 1].numpy(), ".", color="0.6", markersize=4, label="data", zorder=2)
    axes.plot(
        found[:, 0].numpy(), found[:, 1].numpy(), ".", color="tab:blue", markersize=4, label="reconstruction", zorder=3
    )
    axes.set(xlabel="first number", ylabel="second number")
    axes.grid(alpha=0.25)
    axes.legend()
    return figure
