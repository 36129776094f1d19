"""Scores of a classifier that is adapted to another domain, before and after."""

from dataclasses import replace

import yaml

from benchmarks.context import Context
from benchmarks.programs import scores
from benchmarks.programs.adaptation import reader
from benchmarks.record import Record
from benchmarks.row import Row


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does, with a classifier of its first domain."""
    assert row.config is not None
    described = yaml.safe_load((scores.ROOT / row.config).read_text())
    kind = described["data"]["init_args"]["a"]["class_path"].rpartition(".")[2]
    args = (*row.options.get("args", ()), "--model.init_args.classifier", reader(kind, context))
    record = scores.measure(replace(row, options={**row.options, "args": args}), seed, context)
    args = tuple(str(word) for word in row.options.get("args", ()))  # without folders of this machine
    return replace(record, args=list(args))
