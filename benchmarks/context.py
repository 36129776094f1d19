"""Shared by the programs: the work folder, starting a command, comparing two sides, the record."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.pairs import PAIRS, Judged, compare, summary
from benchmarks.record import RECORDS, ROOT, Record, make_record
from benchmarks.row import Row
from dlmodules.errors import UserError

QUICK_PAIRS = 2
# What an agent of a W&B sweep tells the one command that is to log as its run.
SWEEP = ("WANDB_SWEEP_ID", "WANDB_RUN_ID")


@dataclass(frozen=True)
class Context:
    """How the rows are measured.

    Args:
        work: folder for runs and logs.
        records: folder of the records.
        quick: a few batches, to see that a program works; the figures mean nothing.
        device: ``cuda`` to keep data, network and augmentation on a GPU (``cpu`` to try that); None for the usual run.
        deadline: of ``time.monotonic``; a command that is not done by then is ended. None for no end.
        threads: of torch, in every process; speeds are measured with one, see ``alone``.
    """

    work: Path = ROOT / "runs" / "bench"
    records: Path = RECORDS
    quick: bool = False
    threads: int = 2
    device: str | None = None
    deadline: float | None = None

    def alone(self) -> "Context":
        """Return this context for a measurement of processor seconds, which is of one thread."""
        return replace(self, threads=1)

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the deadline, one at least; None where there is none."""
        return None if self.deadline is None else max(1.0, self.deadline - time.monotonic())

    def on_device(self) -> list[str]:
        """Return the arguments by which a command of ``train.py`` has everything on the device."""
        if self.device is None:
            return []
        accelerator = "gpu" if self.device == "cuda" else self.device
        callback = "benchmarks.instruments.on_device.OnDevice"
        return ["--trainer.accelerator", accelerator, "--trainer.devices", "1", f"--trainer.callbacks+={callback}"]

    def folder(self, row: Row, seed: int) -> Path:
        """Make and return the folder of a row and seed."""
        folder = self.work / f"{row.name}-seed{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def run_command(args: Sequence[str], context: Context, log: Path | None = None, **environment: str) -> float:
    """Run ``python ARGS`` in the checkout and return its wall time in s.

    Its output goes to ``log``, or nowhere. Raises UserError where it fails, and where the deadline ends it.
    """
    variables = {name: value for name, value in os.environ.items() if name not in ("DLMODULES_RUN_FOLDER", *SWEEP)}
    variables |= {"OMP_NUM_THREADS": str(context.threads), "WANDB_MODE": "offline", **environment}
    begin = time.perf_counter()
    with open(log or os.devnull, "ab") as output:
        try:
            code = subprocess.run(
                [sys.executable, *args],
                cwd=ROOT,
                env=variables,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=context.seconds_left,
            ).returncode
        except subprocess.TimeoutExpired:
            raise UserError("cut by the time: no record") from None
    wall = time.perf_counter() - begin
    if code != 0:
        raise UserError(f"`python {' '.join(args)}` ended with code {code}" + (f"; see {log}" if log else ""))
    return wall


@contextlib.contextmanager
def in_folder(folder: Path) -> Iterator[None]:
    """Be in ``folder`` meanwhile; ``contextlib.chdir`` is of Python 3.11."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def run_here(args: Sequence[str], context: Context, log: Path | None = None, **environment: str) -> float:
    """Run ``python train.py ARGS`` in this process and return its wall time in s.

    For what takes seconds: a process of its own would spend most of them on its start. Otherwise as ``run_command``.
    """
    from dlmodules_cli.main import main

    before = dict(os.environ)
    for name in ("DLMODULES_RUN_FOLDER", *SWEEP):
        os.environ.pop(name, None)
    os.environ.update({"WANDB_MODE": "offline", **environment})
    begin = time.perf_counter()
    code: str | int | None = 0
    try:
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(open(log or os.devnull, "a"))
            stack.enter_context(in_folder(ROOT))
            stack.enter_context(contextlib.redirect_stdout(output))
            stack.enter_context(contextlib.redirect_stderr(output))
            main(args[1:])
    except SystemExit as ended:
        code = ended.code
    finally:
        os.environ.clear()
        os.environ.update(before)
    if code not in (None, 0):
        raise UserError(f"`python {' '.join(args)}` ended with code {code}" + (f"; see {log}" if log else ""))
    return time.perf_counter() - begin


def processor_seconds() -> float:
    """Return the processor seconds of this process and of those that it started and that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def sweep_variables() -> dict[str, str]:
    """Return the environment in which a command logs as the run of the W&B sweep that this process is in, if any."""
    found = {name: os.environ[name] for name in SWEEP if name in os.environ}
    return {**found, "WANDB_MODE": os.environ.get("WANDB_MODE", "online")} if found else {}


def in_turn(context: Context, ours: Callable[[], float], other: Callable[[], float]) -> list[tuple[float, float]]:
    """Measure both sides of a comparison in turn, as often as a verdict needs, or to see it work."""
    return compare(ours, other, QUICK_PAIRS if context.quick else PAIRS)


def speed_record(
    row: Row,
    seed: int,
    begin: float,
    pairs: Sequence[tuple[float, float]],
    details: Mapping[str, Any] | None = None,
    judged: Judged = "ratio",
    steps: int = 0,
) -> Record:
    """Return the record of a comparison whose ``pairs`` were taken in processor seconds of one thread."""
    kept = {"clock": "processor", "pairs": [list(pair) for pair in pairs], **(details or {})}
    return row_record(row, seed, begin, metrics=summary(pairs, judged), steps=steps, details=kept)


def row_record(row: Row, seed: int, begin: float, **measured: Any) -> Record:
    """Return the record of ``row``, whose measurement began at ``begin`` of ``time.perf_counter``."""
    return make_record(
        **{
            "wall_seconds": round(time.perf_counter() - begin, 1),
            "steps": 0,
            "protocol": row.protocol,
            "budget": row.budget,
            "args": [str(word) for word in row.options.get("args", ())],
            # As they are read back: tuples are lists in JSON.
            "options": json.loads(json.dumps({name: value for name, value in row.options.items() if name != "args"})),
        }
        | measured,
        kind=row.kind,
        name=row.name,
        system=row.system,
        config=row.config,
        seed=seed,
        command=f"python -m benchmarks.run {row.name} --seeds {seed}",
    )


def silent_trainer(max_epochs: int, **options: Any) -> Any:
    """Return a trainer on the CPU that shows, logs and keeps nothing; ``options`` are further ones of Lightning's."""
    import pytorch_lightning as pl  # not above: the report reads this file too, and need not wait for it

    return pl.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=max_epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )
