"""What a run prints: a summary of the networks, and a line an epoch where nobody watches a progress bar."""

import time
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelSummary, ProgressBar
from rich import get_console
from rich.table import Table
from typing_extensions import override

INTERVAL = 1.0  # seconds; an epoch of milliseconds is not worth a line of its own


class NetworkSummary(ModelSummary):
    """Lightning's summary of the networks without what is zero for most: modes, and operations nobody has counted."""

    @staticmethod
    @override
    def summarize(
        summary_data: list[tuple[str, list[str]]],
        total_parameters: int,
        trainable_parameters: int,
        model_size: float,
        *more: Any,
        **settings: Any,
    ) -> None:
        """Print names, types and parameters, and their sum."""
        shown = [(name, cells) for name, cells in summary_data if name not in ("Mode", "FLOPs")]
        sized = [index for index, (name, _) in enumerate(shown) if name == "Params"]
        table = Table(header_style="bold")
        for name, _ in shown:
            table.add_column(name.strip(), justify="right" if name == "Params" else "left")
        for row in zip(*(cells for _, cells in shown), strict=True):
            if not sized or row[sized[0]].strip() != "0":  # metrics, and losses without weights
                table.add_row(*row)
        console = get_console()
        if table.row_count:
            console.print(table)
        fixed = total_parameters - trainable_parameters
        console.print(f"{trainable_parameters:,} trainable parameters" + (f", {fixed:,} fixed" if fixed else ""))


class EpochLines(ProgressBar):
    """A line for each epoch, at most one a second: epoch, step, seconds and the metrics that a progress bar shows.

    The command line takes it in place of the progress bar where its output goes into a file or a pipe.
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown = True
        self._started = self._printed = float("-inf")
        self._newest: dict[str, float] = {}  # a short epoch may have no step at which metrics are logged

    @override
    def disable(self) -> None:
        self._shown = False

    @override
    def enable(self) -> None:
        self._shown = True

    @override
    def on_train_epoch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        self._started = time.monotonic()

    @override
    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        now, last = time.monotonic(), trainer.max_epochs
        found = self.get_metrics(trainer, pl_module)
        self._newest |= {name: value for name, value in found.items() if isinstance(value, (int, float))}
        is_last = trainer.should_stop or trainer.current_epoch + 1 == last or trainer.global_step == trainer.max_steps
        if not self._shown or (now - self._printed < INTERVAL and not is_last):
            return
        self._printed = now
        words = [f"{name} {value:.4g}" for name, value in self._newest.items()]
        of = f"/{last - 1}" if last is not None and last > 0 else ""
        line = [f"epoch {trainer.current_epoch}{of}", f"step {trainer.global_step}", f"{now - self._started:.1f} s"]
        print(", ".join(line + words), flush=True)

    @override
    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> Any:
        """Return the metrics once each: of those of a step and an epoch the latter, and not the run's version."""
        return once_each(super().get_metrics(trainer, pl_module))


def once_each(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return metrics without ``v_num``, and without ``name_step`` where there is a ``name_epoch``."""
    names = set(metrics)
    doubled = {name for name in names if name.endswith("_step") and f"{name.removesuffix('_step')}_epoch" in names}
    return {name: value for name, value in metrics.items() if name != "v_num" and name not in doubled}
