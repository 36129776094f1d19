"""By which words a run is found on a dashboard."""

import re
from collections.abc import Sequence
from inspect import cleandoc
from pathlib import Path

from dlmodules_cli.systems import BOOK, book_ids, docstring_field, family_of, public_sources


def tags_of(module: type, configs: Sequence[Path] = ()) -> list[str]:
    """Return the family of a module, or of the system of ours that it is a subclass of, and the books.

    Args:
        module: the class.
        configs: the configurations of the run. Those of ours name the book that a configuration is from; without such
            a one the tags are the books of the class.
    """
    sources = public_sources()
    ours = next((c for c in module.__mro__ if c.__module__.startswith("dlmodules.") and c.__name__ in sources), None)
    if ours is None:
        return []
    ids = [book_ids(path) for path in configs if path.is_file()]
    named = ", ".join(filter(None, ids)) or docstring_field(cleandoc(ours.__doc__ or ""), "Books")
    books = sorted(set(re.findall(BOOK, named)))
    return [family_of(sources[ours.__name__]), *books]
