"""Rows on a GPU that is lent for minutes: what is worth most first, as far as the time goes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.context import Context
from benchmarks.row import Row
from benchmarks.rows import ROWS

NO_GPU = "error: there is no GPU here; with --quick the rows are tried on the processor"


def place(row: Row) -> int:
    """Return the place of a row among those of a GPU, 0 where it is not for one."""
    return 0 if row.gpu is None else row.gpu.place


def waiting(
    records: Path, names: Sequence[str] = (), everything: bool = False, seeds: Sequence[int] | None = None
) -> list[tuple[Row, int]]:
    """Return the rows marked for a GPU and their seeds, or ``seeds``, without a record, what is worth most first.

    Raises ValueError for a name that is none of theirs.
    """
    marked = {row.name: row for row in sorted(ROWS.values(), key=place) if row.gpu is not None}
    if other := [name for name in names if name not in marked]:
        raise ValueError(f"{other[0]!r} is not marked for a GPU; those that are: {', '.join(marked)}")
    return [
        (row, seed)
        for row in marked.values()
        if not names or row.name in names
        for seed in (row.seeds if seeds is None else seeds)
        if everything or not (records / row.kind / f"{row.name}-seed{seed}.json").is_file()
    ]


def lacks_gpu(context: Context) -> bool:
    """Say whether there is none, though the measurement is not only to see it work."""
    import torch

    return not (context.quick or torch.cuda.is_available())


def measure_on_gpu(
    todo: Sequence[tuple[Row, int]], minutes: float, context: Context, measure: Callable[[Row, int, Context], bool]
) -> int:
    """Call ``measure`` for what fits into ``minutes`` and return the exit code: 1 where one failed.

    A row is begun only where the time that is left is its estimate or more. What is cut by the time all the same leaves
    no record. To see them work, one seed of each is enough.
    """
    import torch

    deadline = time.monotonic() + 60 * minutes
    context = replace(context, device="cuda" if torch.cuda.is_available() else "cpu", deadline=deadline)
    failed = 0
    for row, seed in todo:
        assert row.gpu is not None
        if context.quick and seed != row.seeds[0]:
            continue
        left = (deadline - time.monotonic()) / 60
        if left < (0 if context.quick else row.gpu.minutes):
            print(f"{row.name} seed {seed}: left out, takes {row.gpu.minutes:g} minutes of which {left:.1f} are left")
        else:
            failed += not measure(row, seed, context)
    return 1 if failed else 0
