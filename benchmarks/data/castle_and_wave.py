"""A photograph of a castle, and a print of a wave whose style it is to have."""

from benchmarks.context import Context
from benchmarks.data.pictures import CONTENT, STYLE, WEIGHTS, found


def arguments(context: Context) -> list[str]:
    """Return the command line's arguments that name both, and the network that looks at them."""
    return [
        *("--data.init_args.content", found(CONTENT), "--data.init_args.style", found(STYLE)),
        *("--model.init_args.feature_network", found(WEIGHTS)),
    ]
