"""Scores of a pipeline: all its stages are trained anew, and what the last one measures is kept."""

import math
import shutil
import time
from pathlib import Path

from benchmarks.context import Context, processor_seconds, row_record, run_command
from benchmarks.programs import baselines
from benchmarks.record import Record
from benchmarks.row import Row
from dlmodules.errors import UserError
from dlmodules_cli.pipeline.record import read_record
from dlmodules_cli.pipeline.stages import find_pipeline, read_stages
from dlmodules_cli.runs import versions


def measure(row: Row, seed: int, context: Context) -> Record:
    """Train and measure the stages of the row's ``pipeline``, whose last one plays episodes, in one thread.

    ``seconds`` are those of the processor for all stages, and ``times_random`` is the return by that of random actions.
    Other options: ``args`` of the command, and ``quick``, which are more of them where it is only tried.
    """
    begin = time.perf_counter()
    folder, name = context.folder(row, seed), row.options["pipeline"]
    root = folder / "runs"
    shutil.rmtree(root, ignore_errors=True)  # what was finished before would cost nothing
    more = [*row.options.get("args", ()), *(row.options["quick"] if context.quick else ())]
    command = ["train.py", "pipeline", name, "--root", str(root), "--seed_everything", str(seed)]
    before = processor_seconds()
    wall = run_command([*command, "--data.seed", str(seed), *more], context.alone(), folder / "log.txt")
    seconds = round(processor_seconds() - before, 1)
    last = read_stages(find_pipeline(name))[-1]
    run = versions(root / Path(last.config).stem)[-1]
    found = read_record(run, last.name)
    if found is None:
        raise UserError(f"{run} has no record of the stage {last.name}")
    random = baselines.of_run("random_actions", run / "config.yaml")
    metrics = {f"{key}@last": value for key, value in found.metrics.items() if math.isfinite(value)} | random
    metrics |= {"times_random": metrics["test/return@last"] / random["baseline/return"], "seconds": seconds}
    return row_record(row, seed, begin, metrics=metrics, wall_seconds=round(wall, 1), details={"run": run.name})
