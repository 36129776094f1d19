"""Where Lightning's training loop is made leaner."""

from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version

KNOWN = "2.6."
"""The versions of Lightning whose private functions ``lean_loop`` stands for; with another one the loop is its own."""


def lean_where_known() -> AbstractContextManager[None]:
    """Return ``lean_loop()``, or a context of nothing with a version of Lightning that it was not compared with."""
    if not version("pytorch-lightning").startswith(KNOWN):
        return nullcontext()
    from dlmodules_cli.lean_loop import lean_loop

    return lean_loop()
