"""Checks of arguments that several modules take."""

from collections.abc import Sequence

from dlmodules.errors import UserError


def check_dropout(dropout: float) -> None:
    """Raise UserError unless ``dropout`` is a probability in [0, 1)."""
    if not 0.0 <= dropout < 1.0:
        raise UserError(f"dropout is {dropout}; it must lie in [0, 1)")


def check_at_least_one(**numbers: int) -> None:
    """Raise UserError for the first argument, given by its name, that is less than 1."""
    for name, number in numbers.items():
        if number < 1:
            raise UserError(f"{name} is {number}; it must be 1 or more")


def check_widths(name: str, widths: Sequence[int], fewest: int = 1) -> None:
    """Raise UserError unless ``widths``, one for each layer, are 1 or more and ``fewest`` of them or more."""
    if len(widths) < fewest or min(widths, default=1) < 1:
        least = f", at least {fewest} of them" if fewest else ""
        raise UserError(f"{name} is {list(widths)}; it must be numbers of 1 or more, one for each layer{least}")


def require_at_least(least: int, **arguments: int) -> None:
    """Raise UserError naming the first of ``arguments`` that is smaller than ``least``."""
    for name, value in arguments.items():
        if value < least:
            raise UserError(f"{name} is {value}; it must be at least {least}")


def require_fractions(**arguments: float) -> None:
    """Raise UserError naming the first of ``arguments`` that lies outside [0, 1]."""
    for name, value in arguments.items():
        if not 0.0 <= value <= 1.0:
            raise UserError(f"{name} is {value}; it must lie in [0, 1]")
