"""How much longer ``train.py fit --help`` takes than importing torch and Lightning."""

import time
from dataclasses import replace

from benchmarks.context import Context, in_turn, run_command, speed_record
from benchmarks.instruments.clock import seconds_of_children
from benchmarks.pairs import summary
from benchmarks.record import Record
from benchmarks.row import Row

PROGRAM = ("train.py", "fit", "--help")
IMPORTS = ("-c", "import torch, pytorch_lightning")


def measure(row: Row, seed: int, context: Context) -> Record:
    """Compare processor seconds, which are judged; the record has the wall times beside them, which a person waits."""
    begin = time.perf_counter()
    waited: dict[tuple[str, ...], list[float]] = {PROGRAM: [], IMPORTS: []}

    def seconds(args: tuple[str, ...]) -> float:
        before = seconds_of_children()
        waited[args].append(run_command(args, context))
        return seconds_of_children() - before

    for args in waited:  # which reads files that are not in memory yet
        run_command(args, context)
    pairs = in_turn(context, lambda: seconds(PROGRAM), lambda: seconds(IMPORTS))
    wall = list(zip(waited[PROGRAM], waited[IMPORTS], strict=True))
    record = speed_record(row, seed, begin, pairs, {"wall_pairs": wall}, judged="difference")
    metrics = {f"wall_{name}": value for name, value in summary(wall, judged="difference").items()}
    return replace(record, metrics={**record.metrics, **metrics})
