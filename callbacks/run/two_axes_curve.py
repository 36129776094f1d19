"""Logged metrics of different scales in one plot."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pytorch_lightning import LightningModule, Trainer
from typing_extensions import override

from callbacks.base.media import save_figure
from callbacks.base.progress import position
from callbacks.run.loss_curve import LossCurve
from dlmodules.errors import UserError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES = (("tab:blue", ":"), ("tab:red", "--"), ("tab:purple", "-."), ("tab:brown", "-"))


class TwoAxesCurve(LossCurve):
    """Plots some logged metrics over the training steps on a left axis, and others on a right one.

    With fixed limits what blows up leaves the plot and does not squeeze the rest. A run that ends with an error is
    plotted too. Picture: ``two_axes_curve``, replaced each time.

    Args:
        left: names of the metrics of the left axis, such as ``train/U``.
        right: names of the metrics of the right axis.
        left_limits: lowest and highest value of the left axis; None fits it to the values.
        right_limits: lowest and highest value of the right axis; None fits it to the values.
        every_n_epochs: plot after each that many epochs, and when the training ends.
        every_n_steps: plot after each that many training steps instead.
    """

    def __init__(
        self,
        left: Sequence[str],
        right: Sequence[str] = ("train/loss",),
        left_limits: tuple[float, float] | None = None,
        right_limits: tuple[float, float] | None = None,
        every_n_epochs: int = 10,
        every_n_steps: int | None = None,
    ) -> None:
        super().__init__(every_n_epochs, every_n_steps)
        if not left or not right:
            raise UserError("TwoAxesCurve: left and right must name one metric or more each")
        self.left = left
        self.right = right
        self.left_limits = left_limits
        self.right_limits = right_limits

    @override
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Plot what led to the end of the run."""
        if trainer.state.fn == "fit":
            self._plot_once(trainer, pl_module)

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero or not any(name in self.series for name in (*self.left, *self.right)):
            return
        figure = two_axes(
            {name: self.series[name] for name in self.left if name in self.series},
            {name: self.series[name] for name in self.right if name in self.series},
            self.left_limits,
            self.right_limits,
            f"{type(pl_module).__name__}, {position(trainer)} steps",
        )
        save_figure(trainer, "two_axes_curve", figure, numbered=False)


Series = dict[str, list[list[float]]]
Limits = tuple[float, float] | None


def two_axes(left: Series, right: Series, left_limits: Limits, right_limits: Limits, title: str) -> "Figure":
    """Plot series ``{name: [[step, value], ...]}`` on a left and a right axis."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(7, 4.4), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    beside = axes.twinx()
    for number, (name, points) in enumerate(left.items()):
        color, style = LINES[number % len(LINES)]
        _draw(axes, name, points, left_limits, color, style)
    for number, (name, points) in enumerate(right.items()):
        _draw(beside, name, points, right_limits, "tab:green", ("-", "--", ":")[number % 3])
    axes.set(title=title, xlabel="step", ylabel=", ".join(name.removeprefix("train/") for name in left))
    beside.set_ylabel(", ".join(name.removeprefix("train/") for name in right))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    axes.grid(alpha=0.3)
    lines = [*axes.get_lines(), *beside.get_lines()]
    axes.legend(lines, [str(line.get_label()) for line in lines], fontsize=9)
    return figure


def _draw(axes: "Axes", name: str, points: list[list[float]], limits: Limits, color: str, style: str) -> None:
    steps, values = np.array(points).T
    kept = np.isfinite(values)
    steps, values = steps[kept], values[kept]
    if limits is not None:
        low, high = limits
        # Far enough outside to leave the plot steeply; matplotlib cannot place what is 1e200 times as far.
        values = values.clip(low - 100 * (high - low), high + 100 * (high - low))
        axes.set_ylim(low, high)
    axes.plot(steps, values, label=name, color=color, linestyle=style, linewidth=1.6)
