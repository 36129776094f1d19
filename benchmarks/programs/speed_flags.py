"""Updates by ``fit`` with other arguments against those without, processes in turn."""

import time

from benchmarks.context import Context, in_turn, speed_record
from benchmarks.programs.speed_epoch import seconds_an_update
from benchmarks.record import Record
from benchmarks.row import Row


def measure(row: Row, seed: int, context: Context) -> Record:
    """Compare seconds an epoch of a few batches, the first epoch left out: a compiler works in it."""
    begin = time.perf_counter()
    count = 5 if context.quick else row.options["updates"]

    def seconds(*flags: str) -> float:
        return seconds_an_update(row, seed, context, [*row.options["args"], *flags], count)

    pairs = in_turn(context, lambda: seconds(*row.options["flags"]), seconds)
    return speed_record(row, seed, begin, pairs)
