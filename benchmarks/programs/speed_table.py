"""Environment steps per second of Q-learning in a table, beside the textbook's loop, processes in turn."""

import json
import time
from pathlib import Path

from benchmarks.context import Context, in_turn, run_command, speed_record
from benchmarks.programs.speed_epoch import timed_fit
from benchmarks.record import Record
from benchmarks.row import Row

QUICK_STEPS = 20_000


def measure(row: Row, seed: int, context: Context) -> Record:
    """Measure environment steps per processor second of ``fit``, which are judged, and of the loop beside it."""
    begin = time.perf_counter()
    steps, loop_steps = (QUICK_STEPS,) * 2 if context.quick else (row.options["steps"], row.options["loop_steps"])

    def ours() -> float:
        args = ["--config", str(row.config), "--data.init_args.total_steps", str(steps), *row.options["args"]]
        return steps / sum(timed_fit(row, seed, context, args, epochs=None)["fit"])

    def textbook() -> float:
        folder = context.folder(row, seed)
        result = Path(folder, "loop.json").resolve()
        args = ["-m", "benchmarks.peers.textbook_q_learning", str(result), str(seed), str(loop_steps)]
        run_command(args, context, folder / "log.txt")
        return float(loop_steps / json.loads(result.read_text())["seconds"])

    return speed_record(row, seed, begin, in_turn(context, ours, textbook), judged="ours", steps=steps)
