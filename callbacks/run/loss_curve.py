"""The logged curves of a run as one picture."""

import math
from typing import TYPE_CHECKING, Any

from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from callbacks.base.media import save_figure
from callbacks.base.plotting import PlottingCallback
from callbacks.base.progress import position, steps_done
from callbacks.base.trainers import is_quiet, logging_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_POINTS = 2000  # even, since neighbours are joined
# What an agent logs to place its metrics: axes, not curves.
AXES = ("step", "env_steps", "train/sweep")


class LossCurve(PlottingCallback):
    """Plots every logged metric over the training steps; that of training and of validation share a panel.

    It remembers the metrics itself, so it needs no logger, and a resumed run plots the whole curve.
    Picture: ``loss_curve``, replaced each time.

    Args:
        every_n_epochs: plot after each that many epochs, and when the training ends.
        every_n_steps: plot after each that many training steps instead.
    """

    def __init__(self, every_n_epochs: int = 10, every_n_steps: int | None = None) -> None:
        super().__init__(every_n_epochs, every_n_steps)
        self.series: dict[str, list[list[float]]] = {}
        self._epoch_start = 0
        self._seen: dict[str, Tensor] = {}

    @override
    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._epoch_start = position(trainer)

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        every = logging_interval(trainer)
        if every > 0 and steps_done(trainer) % every == 0 and not is_quiet(trainer):
            for name, tensor in _metrics(trainer, validation=False).items():
                # A mean over an epoch stays among the metrics all through the next one.
                if name not in self.series or self.series[name][-1][1] != float(tensor):
                    self._add(trainer, name, float(tensor))
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    @override
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.state.fn == "fit" and not is_quiet(trainer):
            for name, tensor in _metrics(trainer, validation=True).items():
                # A metric that this validation did not measure is still there, in the same memory as before.
                seen = self._seen.get(name)
                if seen is None or not tensor.is_set_to(seen):
                    self._seen[name] = tensor
                    self._add(trainer, name, float(tensor))

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep the metrics that came only now: means over the epoch, or all of a short one."""
        if not is_quiet(trainer):
            for name, tensor in _metrics(trainer, validation=False).items():
                if name not in self.series or self.series[name][-1][0] <= self._epoch_start:
                    self._add(trainer, name, float(tensor))
        super().on_train_epoch_end(trainer, pl_module)

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.series and trainer.is_global_zero:
            title = f"{type(pl_module).__name__}, {position(trainer)} steps"
            save_figure(trainer, "loss_curve", curves(self.series, title), numbered=False)

    @override
    def state_dict(self) -> dict[str, Any]:
        return {
            "series": {name: [list(point) for point in points] for name, points in self.series.items()},
            "epoch_start": self._epoch_start,
        }

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.series = state_dict["series"]
        self._epoch_start = state_dict["epoch_start"]

    def _add(self, trainer: Trainer, name: str, value: float) -> None:
        points = self.series.setdefault(name, [])
        points.append([position(trainer), value])
        if len(points) >= MAX_POINTS:
            # Neighbours become their mean, so that a long training does not fill its checkpoints.
            self.series[name] = [
                [later[0], (before[1] + later[1]) / 2] for before, later in zip(points[::2], points[1::2], strict=True)
            ]


def _metrics(trainer: Trainer, validation: bool) -> dict[str, Tensor]:
    """The present scalar metrics of training or of validation, without Lightning's doubles of a name."""
    metrics = dict(trainer.callback_metrics)
    kept = {}
    for name, tensor in metrics.items():
        doubled = any(name.endswith(end) and name.removesuffix(end) in metrics for end in ("_step", "_epoch"))
        is_asked_for = name.startswith("val") == validation and not name.startswith("test")
        if is_asked_for and not doubled and tensor.numel() == 1 and name not in AXES:
            kept[name] = tensor
    return kept


def curves(series: dict[str, list[list[float]]], title: str) -> "Figure":
    """Plot ``{name: [[step, value], ...]}``; ``train/x`` and ``val/x`` share a panel."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    panels: dict[str, dict[str, list[list[float]]]] = {}
    for name in sorted(series, key=lambda name: (_split(name)[1] != "loss", "loss" not in name)):
        part, metric = _split(name)
        panels.setdefault(metric, {})[part] = series[name]

    columns = min(3, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(0.8 + 4.2 * columns, 0.6 + 3.2 * rows), dpi=110)
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
    figure.suptitle(title)
    for index, (metric, parts) in enumerate(panels.items()):
        axes = figure.add_subplot(rows, columns, index + 1)
        for part, points in sorted(parts.items()):
            steps, values = zip(*points, strict=True)
            color = "tab:orange" if part == "val" else "tab:blue"
            # A lone point makes no line; few points are worth a mark.
            marker = "o" if len(points) <= 30 else ""
            axes.plot(steps, values, label=part, color=color, marker=marker, markersize=3, linewidth=1.3)
        positive = [value for points in parts.values() for _, value in points]
        if min(positive) > 0 and max(positive) > 100 * min(positive):
            axes.set_yscale("log")
        axes.set_title(metric, fontsize=11)
        axes.grid(alpha=0.3)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        if index >= len(panels) - columns:
            axes.set_xlabel("step")
        axes.legend(fontsize=9)
    return figure


def _split(name: str) -> tuple[str, str]:
    for part in ("train", "val"):
        for separator in ("/", "_"):
            if name.startswith(part + separator):
                return part, name.removeprefix(part + separator)
    return "train", name
