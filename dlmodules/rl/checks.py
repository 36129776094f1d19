"""Refuse arguments outside their range in one clear line."""

from dlmodules.errors import UserError


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
