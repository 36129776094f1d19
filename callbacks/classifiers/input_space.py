"""The outputs of a network with one or two inputs over its input space."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from callbacks.base.inference import undisturbed
from callbacks.base.media import save_figure
from callbacks.base.plotting import PlottingCallback
from callbacks.base.trainers import datamodule_of
from dlmodules.errors import UserError
from dlmodules.protocols import HasInputShape, HasRows, HasTrainSet, Weighs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Points = npt.NDArray[np.float32]
MOST = 2000  # points that are plotted


class InputSpace(PlottingCallback):
    """Plots the answers of a network over its whole input, with the training points among them.

    The prediction of a regression of one input is a curve; the answers of a classifier of two inputs are regions of
    the plane. The data module keeps its training rows as ``train_set.x`` and ``train_set.y``. Picture:
    ``input_space``.

    Args:
        every_n_epochs: plot after each that many epochs, and when the training ends.
        size: answers along an axis, 2 or more.
        margin: what is plotted beyond the points, as a fraction of their range.
    """

    def __init__(self, every_n_epochs: int = 10, size: int = 400, margin: float = 0.25) -> None:
        super().__init__(every_n_epochs)
        if size < 2 or margin < 0:
            raise UserError("InputSpace: size must be 2 or more, and margin not negative")
        self.size = size
        self.margin = margin

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module whose input or answer cannot be plotted."""
        super().setup(trainer, pl_module, stage)
        shape = pl_module.input_shape if isinstance(pl_module, HasInputShape) else None
        wanted = (2,) if isinstance(pl_module, Weighs) else (1,)
        if shape is None or tuple(shape) != wanted:
            raise UserError(
                "InputSpace plots regressions of one input and classifiers of two;"
                f" {type(pl_module).__name__} has the input_shape {None if shape is None else list(shape)}"
            )

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        data = datamodule_of(trainer)
        rows = data.train_set if isinstance(data, HasTrainSet) else None
        if not (isinstance(rows, HasRows) and isinstance(rows.x, Tensor) and isinstance(rows.y, Tensor)):
            raise UserError("InputSpace needs a data module that keeps its rows as train_set.x and train_set.y")
        x, y = rows.x[:MOST].cpu().float(), rows.y[:MOST].cpu()
        low, high = x.amin(dim=0), x.amax(dim=0)
        around = self.margin * (high - low)
        axes = [torch.linspace(float(a), float(b), self.size) for a, b in zip(low - around, high + around, strict=True)]
        grid = torch.cartesian_prod(*axes).view(-1, len(axes)).to(pl_module.device)
        with undisturbed(trainer, pl_module):
            answers = pl_module(trainer.precision_plugin.convert_input(grid))
            if isinstance(pl_module, Weighs):
                answers = pl_module.probabilities(answers).argmax(dim=1).view(self.size, self.size)
        if not trainer.is_global_zero:
            return
        lines = [axis.numpy() for axis in axes]
        found = answers.float().cpu().numpy()
        figure = curve_figure(lines[0], found, x, y) if len(axes) == 1 else region_figure(lines, found, x, y)
        save_figure(trainer, "input_space", figure)


def curve_figure(axis: Points, predictions: Points, x: Tensor, y: Tensor) -> "Figure":
    """Plot predictions ``(size,)`` along ``axis``, and the points ``x (N, 1)``, ``y (N,)``."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    axes.plot(x[:, 0].numpy(), y.numpy(), ".", color="0.65", markersize=3, label="training points")
    axes.plot(axis, predictions, color="tab:blue", linewidth=1.6, label="prediction")
    axes.set_xlabel("input")
    axes.set_ylabel("output")
    axes.grid(alpha=0.25)
    axes.legend()
    return figure


def region_figure(axes: list[Points], classes: Points, x: Tensor, y: Tensor) -> "Figure":
    """Plot the class ``(size, size)`` of each place of the plane, and the points ``x (N, 2)`` of class ``y (N,)``."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 5.4), dpi=110, layout="constrained")
    panel = figure.add_subplot()
    last = max(int(y.max()), int(classes.max()), 1)
    ends = (float(axes[0][0]), float(axes[0][-1]), float(axes[1][0]), float(axes[1][-1]))
    panel.imshow(
        classes.T, origin="lower", extent=ends, aspect="auto", cmap="viridis", vmin=0, vmax=last, alpha=0.45
    )  # fmt: skip
    panel.scatter(x[:, 0], x[:, 1], c=y, cmap="viridis", vmin=0, vmax=last, s=28, edgecolors="black", linewidths=0.6)
    panel.set_xlabel("first input")
    panel.set_ylabel("second input")
    return figure
