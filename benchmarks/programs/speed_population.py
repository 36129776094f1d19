"""Environment steps per second of a population in lanes, beside a loop over its candidates, processes in turn."""

import json
import time
from pathlib import Path

from benchmarks.context import Context, in_turn, run_command, speed_record
from benchmarks.programs.speed_epoch import timed_fit
from benchmarks.record import Record
from benchmarks.row import Row

QUICK_STEPS = 10_000


def measure(row: Row, seed: int, context: Context) -> Record:
    """Compare environment steps per second of the processor."""
    begin = time.perf_counter()
    steps: int = QUICK_STEPS if context.quick else row.options["steps"]
    population: int = row.options["population"]

    def ours() -> float:
        args = ["--config", str(row.config), "--data.init_args.seed", str(seed)]
        args += ["--data.init_args.total_steps", str(steps)]
        return steps / sum(timed_fit(row, seed, context, args, epochs=None)["fit"])

    def plain() -> float:
        folder = context.folder(row, seed)
        result = Path(folder, "loop.json").resolve()
        args = ["-m", "benchmarks.peers.plain_population", str(result), str(seed), str(steps), str(population)]
        run_command(args, context, folder / "log.txt", DLMODULES_KEEP_FREED_MEMORY="1")
        found = json.loads(result.read_text())
        return float(found["steps"] / found["seconds"])

    return speed_record(row, seed, begin, in_turn(context, ours, plain), steps=steps, population=population)
