"""How much longer ``train.py fit --help`` takes than importing torch and Lightning."""

import time

from benchmarks.context import Context, compare, row_record, run_command, summary
from benchmarks.record import Record
from benchmarks.row import Row


def measure(row: Row, seed: int, context: Context) -> Record:
    """Compare wall times."""
    begin = time.perf_counter()

    def program() -> float:
        return run_command(["train.py", "fit", "--help"], context)

    def imports() -> float:
        return run_command(["-c", "import torch, pytorch_lightning"], context)

    # The first pair reads files that are not in memory yet.
    pairs = compare(program, imports, 1 + (1 if context.quick else row.options["pairs"]))[1:]
    metrics = summary(pairs, difference=True)
    return row_record(row, seed, begin, metrics=metrics, details={"pairs": pairs})
