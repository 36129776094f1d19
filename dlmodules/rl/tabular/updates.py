"""Moves of a table's entries towards their targets."""

from typing import Any

import numpy as np

from dlmodules.protocols.dynamics import Numbers, States


def move_towards(table: Numbers, place: Any, target: Any, rate: Any) -> Any:
    """Move entries of a flat ``table`` towards ``target`` by the fraction ``rate``, and return the errors before.

    Where several of N targets are of the same entry it moves as it would for one after another, each the mean of them
    all: by 1 - (1 - rate)^n of the way.

    Args:
        table: ``(M,)``, changed in place.
        place: ``(N,)`` int64 places in it, or one.
        target: ``(N,)`` or one number.
        rate: in [0, 1]; one for all, or ``(N,)``.
    """
    before = table[place]
    error = target - before
    if np.ndim(place) == 0:
        table[place] = before + rate * error
        return error
    count = np.bincount(place)[place]
    mean = np.bincount(place, weights=error)[place] / count
    table[place] = before + (1 - (1 - rate) ** count) * mean
    return error


def average_in(table: Numbers, visits: States, place: Any, value: Any) -> Any:
    """Move entries of a flat ``table``, each the mean of the values seen there, to the mean with new ones, too.

    Args:
        table: ``(M,)``, changed in place. An entry without a visit counts for nothing.
        visits: ``(M,)`` int64: of how many values each is the mean; changed in place.
        place: ``(N,)`` int64 places in it; one may be there several times.
        value: ``(N,)``.

    Returns:
        The errors ``(N,)`` before.
    """
    error = value - table[place]
    visits += np.bincount(place, minlength=len(table))
    table += np.bincount(place, weights=error, minlength=len(table)) / np.maximum(visits, 1)
    return error


def first_visits(place: States) -> States:
    """Return the steps ``(K,)`` of an episode ``(T,)`` at which it came to each of its K different places first."""
    return np.unique(place, return_index=True)[1]


def best(values: Numbers) -> Any:
    """Return the largest value ``(N,)`` in each row of ``(N, A)``, or the one in ``(A,)``."""
    return np.ascontiguousarray(values.T).max(0)  # columns: short rows take numpy twice as long
