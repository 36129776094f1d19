"""How many classes a module has, and whether it is conditional on them."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class HasClasses(Protocol):
    """Knows a number of classes: to tell apart, or to work for."""

    num_classes: int


@runtime_checkable
class Conditional(Protocol):
    """Says whether it works for a class that it is told."""

    conditional: bool
    """Whether ``sample``, ``encode``, ``decode`` and ``reconstruct`` take labels."""


@runtime_checkable
class FindsClasses(Protocol):
    """Says whether the classes that it is asked for are its own: found without labels, in an order of its own."""

    finds_classes: bool


def is_conditional(module: object) -> bool:
    """Return whether ``module`` says that it takes labels."""
    return isinstance(module, Conditional) and bool(module.conditional)


def class_count(module: object) -> int | None:
    """Return how many classes ``module`` knows; None where it does not say."""
    return module.num_classes if isinstance(module, HasClasses) else None


def finds_classes(module: object) -> bool:
    """Return whether ``module`` says that its classes have an order of their own, which no label of the data has."""
    return isinstance(module, FindsClasses) and bool(module.finds_classes)
