"""Measure rows: ``python -m benchmarks.run [NAME ...] [--seeds K ...] [--cost C] [--all] [--quick] [--list]``.

Without a name it measures those rows and seeds that have no record yet. Rows that take hours on a
CPU are measured only when they are named. ``--gpu --minutes 8`` measures those of a GPU, as many as fit.
"""

import argparse
import importlib
import os
import subprocess
import sys
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.context import Context
from benchmarks.gpu import NO_GPU, lacks_gpu, measure_on_gpu, waiting
from benchmarks.record import Record, measured_commit, write_record
from benchmarks.row import Row
from benchmarks.rows import ROWS
from dlmodules.errors import UserError

THREADS = 2
COSTS = ("seconds", "minutes", "hours")


def chosen(
    names: Sequence[str], seeds: Sequence[int] | None, everything: bool, records: Path, cost: str = COSTS[-1]
) -> list[tuple[Row, int]]:
    """Return the rows and seeds to measure; a table stands for its rows. Raises ValueError for a name that is none.

    Without names those are left out whose seeds take longer than ``cost``.
    """
    named = []
    for name in names:
        rows = [ROWS[name]] if name in ROWS else [row for row in ROWS.values() if row.table == name]
        if not rows:
            raise ValueError(f"there is no row {name!r}; --list shows what there is")
        named += rows
    found = []
    fitting = [row for row in ROWS.values() if COSTS.index(row.cost) <= COSTS.index(cost)]
    for row in named or [row for row in fitting if not row.elsewhere]:
        for seed in row.seeds if seeds is None else seeds:
            if names or everything or not (records / row.kind / f"{row.name}-seed{seed}.json").is_file():
                found.append((row, seed))
    return found


def main(args: Sequence[str]) -> int:
    """Do what the command line ``args`` asks for and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="rows; those without a record where none is given")
    parser.add_argument("--row", metavar="NAME", help="one more row, in the words of a W&B sweep")
    parser.add_argument("--seeds", nargs="+", type=int, help="seeds; those of the row where none is given")
    parser.add_argument("--all", action="store_true", help="measure again what has a record")
    parser.add_argument(
        "--cost", choices=COSTS, default=COSTS[-1], help="without names: only rows whose seeds take no longer on a core"
    )
    parser.add_argument("--work", type=Path, help="folder for runs and logs; runs/bench")
    parser.add_argument(
        "--quick", action="store_true", help="a few batches, recorded apart in the work folder: only to see it work"
    )
    parser.add_argument(
        "--gpu", action="store_true", help="rows that are marked for a GPU, what is worth most first; see --minutes"
    )
    parser.add_argument("--minutes", type=float, default=8.0, help="with --gpu: begin only what ends within; 8")
    parser.add_argument("--list", action="store_true", help="list the rows and leave")
    options = parser.parse_args(args)
    # torch reads it when it is imported, which the programs do.
    os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))

    context = Context(quick=options.quick, threads=int(os.environ["OMP_NUM_THREADS"]))
    if options.work is not None:
        context = replace(context, work=options.work.resolve())
    if options.quick:
        context = replace(context, work=context.work / "quick", records=context.work / "quick" / "records")
    if options.list:
        list_rows(context.records)
        return 0
    names = [*options.names, options.row] if options.row else options.names
    try:
        if options.gpu:
            todo = waiting(context.records, names, options.all, options.seeds)
        else:
            todo = chosen(names, options.seeds, options.all, context.records, options.cost)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.gpu and lacks_gpu(context):
        print(NO_GPU, file=sys.stderr)
        return 2
    if todo and not options.quick and (commit := measured_commit()).endswith("-dirty"):
        print(
            f"error: the source differs from commit {commit.removesuffix('-dirty')}, and the report takes no record of"
            " a changed source: commit the changes first, or try with --quick",
            file=sys.stderr,
        )
        return 2
    if options.gpu:
        return measure_on_gpu(todo, options.minutes, context, recorded)
    done = [recorded(row, seed, context) for row, seed in todo]
    return 0 if all(done) else 1


def recorded(row: Row, seed: int, context: Context) -> bool:
    """Measure a row, write its record and say so; say what is wrong, and return False, where that fails."""
    print(f"{row.name} seed {seed}: running", flush=True)
    try:
        record = measured(row, seed, context)
        path = write_record(record, context.records)
    except (UserError, subprocess.SubprocessError) as error:
        print(f"error: {row.name} seed {seed}: {error}", file=sys.stderr, flush=True)
        return False
    except Exception:  # a bug in one row must not cost the rows after it
        traceback.print_exc()
        return False
    figures = ", ".join(f"{key} {value:.4g}" for key, value in record.metrics.items())
    print(f"{row.name} seed {seed}: {figures} ({record.wall_seconds:.0f} s) -> {path}", flush=True)
    return True


def measured(row: Row, seed: int, context: Context) -> Record:
    """Measure a row with the threads of ``context``, or with one where seconds of the processor are compared."""
    import torch

    context = context.alone() if row.kind == "speed" else context
    before = torch.get_num_threads()
    torch.set_num_threads(context.threads)
    try:
        record: Record = importlib.import_module(f"benchmarks.{row.program}").measure(row, seed, context)
        return record
    finally:
        torch.set_num_threads(before)


def list_rows(records: Path) -> None:
    """Print every row, its seeds and which of them are recorded."""
    for row in ROWS.values():
        done = [seed for seed in row.seeds if (records / row.kind / f"{row.name}-seed{seed}.json").is_file()]
        state = f"recorded {len(done)} of {len(row.seeds)}"
        needs = f"; only when named, needs {row.elsewhere}" if row.elsewhere else ""
        needs += f"; with --gpu, {row.gpu.minutes:g} minutes a seed" if row.gpu else ""
        print(f"{row.name:28} {row.kind:7} {row.cost:7} {row.title or row.config or row.system} ({state}{needs})")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
