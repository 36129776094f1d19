"""The multiple of the books' filters and units that a network is built with."""


def scaled(n: int, width: float) -> int:
    """Return ``n`` filters or units times ``width``, at least 1."""
    return max(1, round(n * width))
