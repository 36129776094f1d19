"""The multiple of the books' filters and units that a network is built with."""

from dlmodules.errors import UserError


def scaled(n: int, width: float) -> int:
    """Return ``n`` filters or units times ``width``, at least 1. Raises UserError unless ``width`` is above 0."""
    if not width > 0:
        raise UserError(f"width is {width}; it must be greater than 0")
    return max(1, round(n * width))
