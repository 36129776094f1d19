"""Photographs, and a print of a wave whose style they are to have."""

from benchmarks.context import Context
from benchmarks.data.pictures import PHOTOS, STYLE, WEIGHTS, found


def arguments(context: Context) -> list[str]:
    """Return the command line's arguments that name both, and the network that looks at them."""
    return [
        *("--data.init_args.images.init_args.folder", found(PHOTOS), "--data.init_args.style", found(STYLE)),
        *("--data.init_args.images.init_args.cache_dir", str(context.work / "caches")),
        *("--model.init_args.feature_network", found(WEIGHTS)),
    ]
