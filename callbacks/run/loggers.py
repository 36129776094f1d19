"""The loggers of a run folder: a CSV file that a resumed run continues, and Weights & Biases that never stops a run."""

import csv
import io
import os
import warnings
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning_fabric.loggers.logger import rank_zero_experiment
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.utilities import rank_zero_only
from typing_extensions import override

from callbacks.run.directions import direction_of
from callbacks.run.run_summary import STEP, RunSummary
from callbacks.run.wandb_mode import wandb_is_online as wandb_is_online
from callbacks.run.wandb_mode import wandb_mode
from dlmodules.checkpoints.atomic import whole_file
from dlmodules.errors import UserError, first_line


class RunCSVLogger(Logger):
    """Write ``metrics.csv`` in the run folder: a row for each step at which something was logged.

    A resumed run continues the same file; ``rewind`` first drops the rows after the checkpoint's step,
    which the killed run may have written.
    """

    def __init__(self, run_folder: str | Path, flush_every: int = 50) -> None:
        super().__init__()
        self.run_folder = Path(run_folder)
        self.flush_every = flush_every
        self._columns: list[str] = ["step"]
        self._pending: list[dict[str, Any]] = []
        self._opened = False

    @property
    def file(self) -> Path:
        """The CSV file."""
        return self.run_folder / "metrics.csv"

    @property
    @override
    def save_dir(self) -> str:
        """The run folder: Lightning takes it for ``trainer.log_dir``."""
        return str(self.run_folder)

    @property
    @override
    def name(self) -> str:
        """The configuration's name."""
        return self.run_folder.parent.name

    @property
    @override
    def version(self) -> str:
        """The run's number among those of its configuration."""
        return self.run_folder.name

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The logger itself."""
        return self

    @override
    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Do nothing: ``config.yaml`` holds them."""

    @override
    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        step = -1 if step is None else step
        values = {key: float(value) for key, value in metrics.items() if not isinstance(value, str)}
        if self._pending and self._pending[-1]["step"] == step:
            self._pending[-1].update(values)
        else:
            self._pending.append({"step": step, **values})
        if len(self._pending) > self.flush_every:
            last = self._pending.pop()  # more may come for its step
            self.save()
            self._pending = [last]

    @rank_zero_only
    def rewind(self, step: int) -> None:
        """Drop the rows later than ``step``."""
        if self.file.is_file():
            columns, rows = self._read()
            self._write(columns, [row for row in rows if row["step"] and int(float(row["step"])) <= step])

    @override
    @rank_zero_only
    def save(self) -> None:
        """Append what is pending; a new metric rewrites the file under a longer header."""
        if not self._pending:
            return
        if not self._opened and self.file.is_file():
            self._columns = self._read()[0] or ["step"]
        self._opened = True
        new = {key: None for row in self._pending for key in row if key not in self._columns}
        if new or not self.file.is_file():
            rows = self._read()[1] if self.file.is_file() else []
            self._columns += new
            self._write(self._columns, rows + self._pending)
        else:
            text = io.StringIO()
            csv.DictWriter(text, self._columns, lineterminator="\n").writerows(self._pending)
            try:
                with open(self.file, "a") as file:
                    file.write(text.getvalue())
            except OSError as error:
                raise UserError(f"cannot write {self.file}: {error.strerror}") from error
        self._pending = []

    @override
    @rank_zero_only
    def finalize(self, status: str) -> None:
        self.save()

    def _read(self) -> tuple[list[str], list[dict[str, Any]]]:
        with open(self.file, newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            return list(reader.fieldnames or []), rows

    def _write(self, columns: list[str], rows: list[dict[str, Any]]) -> None:
        try:
            self.run_folder.mkdir(parents=True, exist_ok=True)
            with whole_file(self.file) as temporary, open(temporary, "w") as file:
                writer = csv.DictWriter(file, columns, lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
        except OSError as error:
            raise UserError(f"cannot write {self.file}: {error.strerror}") from error


class _Nothing:
    """Takes any attribute, item and call."""

    def __getattr__(self, name: str) -> "_Nothing":
        return self

    def __getitem__(self, key: Any) -> "_Nothing":
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> "_Nothing":
        return self


class RunWandbLogger(WandbLogger):
    """Log to Weights & Biases, online when an API key is configured, else offline, and never stop a training.

    Whatever goes wrong in ``wandb`` (not installed, broken, server away) is said once; from then on the
    run goes on without it. Runs of a configuration, the folder that the run folder is in, are a group. A validation
    metric's column in the table of runs is its best value of the whole run, resumed or not.

    Args:
        run_folder: the folder of the run, ``.../<configuration>/version_<n>``.
        run_id: the id of the run, the same when it goes on.
        project: the W&B project, unless ``$WANDB_PROJECT`` names one.
        tags: words by which runs are found, such as the family of the system.
        job_type: what the run is: ``fit``, ``validate``, ``test`` or ``predict``.
    """

    def __init__(
        self,
        run_folder: str | Path,
        run_id: str,
        project: str = "dlmodules",
        tags: Sequence[str] = (),
        job_type: str | None = None,
    ) -> None:
        run_folder = Path(run_folder)
        self._broken = False
        self._summary = RunSummary(run_folder / "metrics.csv")
        self._defined: set[str] = set()
        os.environ.setdefault("WANDB_SILENT", "true")
        super().__init__(
            name=f"{run_folder.parent.name}/{run_folder.name}",
            save_dir=str(run_folder),
            id=run_id,
            project=os.environ.get("WANDB_PROJECT", project),
            # As offline=True, Lightning would set $WANDB_MODE, and so turn a run on that is to be off.
            mode=wandb_mode(),
            resume="allow",
            tags=list(tags),
            group=run_folder.parent.name,
            job_type=job_type,
            settings={"init_timeout": 30},  # seconds to wait for a server that does not answer
        )
        self._wandb_init.pop("anonymous", None)  # Lightning always sends it, and wandb warns that it has no effect

    @property
    @override
    def experiment(self) -> Any:
        """The W&B run, or something that takes every call and does nothing once W&B has failed."""
        self._guarded(self._open)
        return _Nothing() if self._broken else super().experiment

    @property
    def started_run(self) -> Any:
        """The W&B run, or None where none was started."""
        return None if self._broken else self._experiment

    def _open(self) -> None:
        is_open = self._experiment is not None
        run = super().experiment
        if self._experiment is not None and not is_open:
            self._defined.clear()
            run.summary.update(self._summary.so_far())

    def _guarded(self, act: Callable[[], Any]) -> None:
        if self._broken:
            return
        try:
            act()
        except Exception as error:  # a dashboard must not stop a training, whatever it raises
            self._broken = True
            warnings.warn(f"Weights & Biases failed ({first_line(error)}); this run goes on without it", stacklevel=2)

    @override
    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self._guarded(lambda: self._log_metrics(metrics, step))

    def _log_metrics(self, metrics: Mapping[str, float], step: int | None) -> None:
        run = self.experiment
        for name in metrics:
            if (way := direction_of(name)) and name not in self._defined:
                run.define_metric(name, step_metric=STEP, step_sync=True, summary=way)
                self._defined.add(name)
        super().log_metrics(metrics, step)
        if more := self._summary.after(metrics, step):
            run.summary.update(more)

    @override
    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace) -> None:
        self._guarded(lambda: super(RunWandbLogger, self).log_hyperparams(params))

    @override
    @rank_zero_only
    def log_image(self, key: str, images: list[Any], step: int | None = None, **kwargs: Any) -> None:
        self._guarded(lambda: super(RunWandbLogger, self).log_image(key, images, step, **kwargs))

    @override
    @rank_zero_only
    def log_video(self, key: str, videos: list[Any], step: int | None = None, **kwargs: Any) -> None:
        self._guarded(lambda: super(RunWandbLogger, self).log_video(key, videos, step, **kwargs))

    @override
    def watch(self, *args: Any, **kwargs: Any) -> None:
        self._guarded(lambda: super(RunWandbLogger, self).watch(*args, **kwargs))

    @override
    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        """Do nothing: checkpoints stay in the run folder."""

    @override
    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Close the run, so that an offline one is complete on disk. What is logged later goes on with it."""
        if self._experiment is not None:
            self._guarded(lambda: self.experiment.finish(exit_code=0 if status == "success" else 1))
            self._experiment = None
            self._summary.continued = True
