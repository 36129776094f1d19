"""Checks of constructor arguments, for modules and data modules alike.

Each takes arguments by their names and raises the UserError that says which is wrong and what it must be. An argument
that is None is not set, and passes.
"""

from collections.abc import Sequence

from dlmodules.errors import UserError


def check_at_least(minimum: float, **values: float | None) -> None:
    """Raise UserError naming the first of ``values`` that is less than ``minimum``."""
    for name, value in values.items():
        if value is not None and not value >= minimum:
            raise UserError(f"{name} is {value}; it must be {minimum} or more")


def check_at_least_one(**values: float | None) -> None:
    """Raise UserError naming the first of ``values`` that is less than 1."""
    check_at_least(1, **values)


def check_positive(**values: float | None) -> None:
    """Raise UserError naming the first of ``values`` that is not more than 0."""
    for name, value in values.items():
        if value is not None and not value > 0:
            raise UserError(f"{name} is {value}; it must be more than 0")


def check_fractions(**values: float | None) -> None:
    """Raise UserError naming the first of ``values`` that lies outside [0, 1]."""
    for name, value in values.items():
        if value is not None and not 0.0 <= value <= 1.0:
            raise UserError(f"{name} is {value}; it must lie in [0, 1]")


def check_amounts(unit: str, **values: int | float) -> None:
    """Raise UserError naming the first of ``values`` that is neither a number of ``unit`` nor a fraction of them."""
    for name, value in values.items():
        if not value >= 0 or (isinstance(value, float) and value >= 1):
            raise UserError(f"{name} is {value}; it must be a number of {unit} or a fraction in (0, 1)")


def check_fractions_apart(val_fraction: float, test_fraction: float) -> None:
    """Raise UserError unless both fractions can be set apart, and leave something to train on."""
    if val_fraction < 0 or test_fraction < 0 or val_fraction + test_fraction >= 1:
        raise UserError(
            f"val_fraction={val_fraction} and test_fraction={test_fraction} must not be negative, "
            "and together be less than 1"
        )


def check_dropout(dropout: float, name: str = "dropout") -> None:
    """Raise UserError unless ``dropout``, the argument ``name``, is a probability in [0, 1)."""
    if not 0.0 <= dropout < 1.0:
        raise UserError(f"{name} is {dropout}; it must lie in [0, 1)")


def check_widths(name: str, widths: Sequence[int], fewest: int = 1) -> None:
    """Raise UserError unless ``widths``, one for each layer, are 1 or more and ``fewest`` of them or more."""
    if len(widths) < fewest or min(widths, default=1) < 1:
        least = f", at least {fewest} of them" if fewest else ""
        raise UserError(f"{name} is {list(widths)}; it must be numbers of 1 or more, one for each layer{least}")


def require_at_least(least: int, **values: int) -> None:
    """Raise UserError naming the first of ``values`` that is smaller than ``least``, in the words of the agents."""
    for name, value in values.items():
        if value < least:
            raise UserError(f"{name} is {value}; it must be at least {least}")


def check_direction(direction: str, directions: Sequence[str], owner: str) -> None:
    """Raise UserError unless ``owner`` translates in ``direction``."""
    if direction not in directions:
        raise UserError(f"{owner} has no direction {direction!r}; it has {' and '.join(directions)}")
