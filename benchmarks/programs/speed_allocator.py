"""An epoch of ``fit`` against the hand-written loop with glibc's default allocator, processes in turn."""

import json
import time
from pathlib import Path

from benchmarks.context import Context, in_turn, run_command, speed_record
from benchmarks.programs.speed_epoch import timed_fit
from benchmarks.record import Record
from benchmarks.row import Row

EPOCHS = 2  # the first is left out
# Short epochs, so that the two sides are near in time: a machine that drifts would else decide the ratio.
BATCHES = 200


def measure(row: Row, seed: int, context: Context) -> Record:
    """Compare seconds an epoch."""
    begin = time.perf_counter()

    def loop() -> float:
        folder = context.folder(row, seed)
        result = Path(folder, "loop.json").resolve()
        args = ["-m", "benchmarks.instruments.loops", str(result), str(EPOCHS), "5" if context.quick else str(BATCHES)]
        run_command(args, context, folder / "log.txt", DLMODULES_KEEP_FREED_MEMORY="0")
        return float(json.loads(result.read_text())["loop"][-1])

    args = [*row.options["args"], "--trainer.limit_train_batches", str(BATCHES)]
    pairs = in_turn(context, lambda: timed_fit(row, seed, context, args, EPOCHS)["fit"][-1], loop)
    return speed_record(row, seed, begin, pairs)
