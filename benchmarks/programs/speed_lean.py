"""What a step of ``fit`` costs beside the step itself: by the lean loop, and by Lightning's own."""

import time
from collections.abc import Sequence
from statistics import median

from benchmarks.context import Context, in_turn, speed_record
from benchmarks.programs.speed_epoch import timed_fit
from benchmarks.record import Record
from benchmarks.row import Row

LEAN, WHOLE = ("train.py",), ("-m", "benchmarks.instruments.whole_loop")
EPOCHS = 4


def measure(row: Row, seed: int, context: Context) -> Record:
    """Compare the milliseconds a step of an epoch of the fit less one of the hand-written loop in its process."""
    begin = time.perf_counter()

    def milliseconds(program: Sequence[str]) -> float:
        times = timed_fit(row, seed, context, row.options["args"], EPOCHS, with_loop=True, program=program)
        fit, loop = (median(times[side][1:]) for side in ("fit", "loop"))
        return 1000 * (fit - loop) / row.options["updates"]

    return speed_record(row, seed, begin, in_turn(context, lambda: milliseconds(LEAN), lambda: milliseconds(WHOLE)))
