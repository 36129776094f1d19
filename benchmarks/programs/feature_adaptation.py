"""Scores of a classifier that is adapted to another domain, before and after."""

from dataclasses import replace

from benchmarks.context import Context
from benchmarks.programs import scores
from benchmarks.programs.adaptation import kinds_of, own_arguments, reader, with_classifier
from benchmarks.record import Record
from benchmarks.row import Row


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does, with a classifier of its first domain."""
    given = with_classifier(row, reader(kinds_of(row)[0], context))
    return replace(scores.measure(given, seed, context), args=own_arguments(row))
