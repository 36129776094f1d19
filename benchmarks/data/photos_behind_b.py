"""Photographs behind the digits of the second domain."""

from benchmarks.context import Context
from benchmarks.data.pictures import PHOTOS, found


def arguments(context: Context) -> list[str]:
    """Return the command line's arguments that name them."""
    return ["--data.init_args.b.init_args.photos", found(PHOTOS)]
