"""Traversals of a code, shared by several systems."""

from collections.abc import Sequence

from dlmodules.errors import UserError


def check_traversal(name: str, traversals: Sequence[str], owner: str) -> None:
    """Raise UserError unless ``name`` is among ``traversals``, which are what ``owner`` can change."""
    if name not in traversals:
        raise UserError(f"this {owner} has no {name}; choose {' or '.join(traversals)}")
