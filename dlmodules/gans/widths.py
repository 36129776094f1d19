"""The factor that scales the books' numbers of filters and units."""

from dlmodules.validation.arguments import check_positive


def scaled(n: int, width: float) -> int:
    """Return ``n`` filters or units times ``width``, at least 1. Raises UserError unless ``width`` is above 0."""
    check_positive(width=width)
    return max(1, round(n * width))
