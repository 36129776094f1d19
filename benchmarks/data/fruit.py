"""Cut-outs of fruit, and photographs to stamp them on."""

from pathlib import Path

from benchmarks.context import Context
from benchmarks.data.pictures import PHOTOS, found

STAMPS = Path("vision/stamps")


def arguments(context: Context) -> list[str]:
    """Return the command line's arguments that name both, of both domains."""
    return [
        word
        for domain in "ab"
        for word in (
            *(f"--data.init_args.{domain}.init_args.stamps", found(STAMPS)),
            *(f"--data.init_args.{domain}.init_args.photos", found(PHOTOS)),
        )
    ]
