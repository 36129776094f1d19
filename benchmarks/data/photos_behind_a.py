"""Photographs behind the digits of the first domain."""

from benchmarks.context import Context
from benchmarks.data.pictures import PHOTOS, found


def arguments(context: Context) -> list[str]:
    """Return the command line's arguments that name them."""
    return ["--data.init_args.a.init_args.photos", found(PHOTOS)]
