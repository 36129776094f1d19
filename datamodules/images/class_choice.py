"""Selection of a data set's classes."""

from collections.abc import Sequence

from dlmodules.errors import UserError


def chosen_classes(classes: Sequence[str], names: Sequence[str]) -> list[int]:
    """Return the numbers in ``names`` of the ``classes``, whose places are the labels to come.

    Raises:
        UserError: where there is none, one is repeated, or one is not among the ``names``.
    """
    if isinstance(classes, str):
        raise UserError(f"classes is {classes!r}; it must be a list, such as [{classes}]")
    if not classes or len(set(classes)) < len(classes):
        raise UserError(f"classes is {list(classes)}; it must name one or more, each once")
    if unknown := [name for name in classes if name not in names]:
        shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        raise UserError(f"there is no class {unknown[0]!r}; there are {shown}")
    return [names.index(name) for name in classes]
