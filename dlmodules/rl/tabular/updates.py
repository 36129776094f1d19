"""Moves of a table's entries towards their targets."""

from typing import Any

import numpy as np

from dlmodules.protocols.dynamics import Numbers


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
    count = np.bincount(place, minlength=len(table))[place]
    if count.max() == 1:
        table[place] = before + rate * error
        return error
    mean = np.bincount(place, weights=error, minlength=len(table))[place] / count
    table[place] = before + (1 - (1 - rate) ** count) * mean
    return error
