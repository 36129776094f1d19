"""An epoch of ``fit`` against one of a hand-written loop that runs between the epochs, in the same process."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.context import QUICK_PAIRS, Context, run_command, speed_record
from benchmarks.pairs import PAIRS
from benchmarks.record import Record
from benchmarks.row import Row


def measure(row: Row, seed: int, context: Context) -> Record:
    """Compare seconds an epoch."""
    begin = time.perf_counter()
    count = QUICK_PAIRS if context.quick else PAIRS
    times = timed_fit(row, seed, context, row.options["args"], count + 1, with_loop=True)
    pairs = list(zip(times["fit"][1:], times["loop"][1:], strict=True))
    return speed_record(row, seed, begin, pairs)


def seconds_an_update(row: Row, seed: int, context: Context, args: Sequence[str], updates: int) -> float:
    """Return the seconds of an update in epochs of so many; the first epoch, in which a compiler works, is left out."""
    limited = [*args, "--trainer.limit_train_batches", str(updates)]
    return median(timed_fit(row, seed, context, limited, epochs=3)["fit"][1:]) / updates


def timed_fit(
    row: Row,
    seed: int,
    context: Context,
    args: Sequence[str],
    epochs: int | None,
    with_loop: bool = False,
    program: Sequence[str] = ("train.py",),
) -> dict[str, list[float]]:
    """Run ``train.py fit ARGS``, or another ``program``, under an ``EpochClock`` and return what that wrote."""
    folder = context.folder(row, seed)
    result = Path(folder, "times.json").resolve()
    result.unlink(missing_ok=True)
    command = [*program, "fit", *args, "--seed_everything", str(seed)]
    command += ["--trainer.default_root_dir", str(folder)]
    # In place of a configuration's callbacks, which cost time of their own; those that are measured stay.
    sign = "+=" if any(arg.startswith("--trainer.callbacks+=") for arg in args) else "="
    command += [
        f"--trainer.callbacks{sign}benchmarks.instruments.clock.EpochClock",
        f"--trainer.callbacks.result={result}",
    ]
    if epochs is not None:
        command += ["--trainer.max_epochs", str(epochs)]
        if context.quick:
            command += ["--trainer.limit_train_batches", "5", "--trainer.limit_val_batches", "2"]
    if with_loop:
        command.append("--trainer.callbacks.with_loop=true")
    run_command(command, context, folder / "log.txt", DLMODULES_KEEP_FREED_MEMORY="1")
    times: dict[str, list[float]] = json.loads(result.read_text())
    return times
