"""Checks of arguments that several classifiers take."""

from dlmodules.errors import UserError


def check_dropout(dropout: float) -> None:
    """Raise UserError unless ``dropout`` is a probability in [0, 1)."""
    if not 0.0 <= dropout < 1.0:
        raise UserError(f"dropout is {dropout}; it must lie in [0, 1)")
