"""Peak memory of a fit."""

import time
from pathlib import Path

from benchmarks.context import Context, row_record, run_command
from benchmarks.programs.scores import quick_arguments
from benchmarks.record import Record
from benchmarks.row import Row


def measure(row: Row, seed: int, context: Context) -> Record:
    """Measure the largest resident set of the process."""
    begin = time.perf_counter()
    assert row.config is not None
    folder = context.folder(row, seed)
    result = Path(folder, "peak.txt").resolve()
    command = ["-m", "benchmarks.instruments.peak", str(result), "train.py", "fit"]
    command += ["--config", row.config, "--seed_everything", str(seed)]
    command += ["--trainer.default_root_dir", str(folder)]
    command += quick_arguments(row, context) or ["--trainer.max_epochs", str(row.options["epochs"])]
    run_command(command, context, folder / "log.txt")
    return row_record(row, seed, begin, metrics={"value": float(result.read_text())})
