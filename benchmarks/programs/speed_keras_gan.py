"""An update of DCGAN at the book's width by ``fit``, against the book's program in Keras 3 on TensorFlow."""

import json
import time
from pathlib import Path

from benchmarks.context import Context, in_turn, run_command, speed_record
from benchmarks.programs.speed_epoch import seconds_an_update
from benchmarks.record import Record
from benchmarks.row import Row


def measure(row: Row, seed: int, context: Context) -> Record:
    """Compare the processor's seconds an update, processes in turn."""
    begin = time.perf_counter()
    count = 5 if context.quick else row.options["updates"]
    parameters = {}

    def ours() -> float:
        return seconds_an_update(row, seed, context, row.options["args"], count)

    def theirs() -> float:
        folder = context.folder(row, seed)
        result = Path(folder, "keras.json").resolve()
        command = ["-m", "benchmarks.peers.keras_dcgan", str(result), str(2 * count + 3)]
        run_command(command, context, folder / "log.txt")
        found: dict[str, float] = json.loads(result.read_text())
        parameters["generator"] = found["generator"]
        return found["seconds"]

    pairs = in_turn(context, ours, theirs)
    return speed_record(row, seed, begin, pairs, parameters)
