"""What a module that embeds words offers, and what data of words tell it."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor

Question = tuple[str, str, str, str]
"""Words a, b, c and d of the analogy "a is to b as c is to d"; d is the answer."""

RatedPair = tuple[str, str, float]
"""Two words, and how alike people find them."""


@runtime_checkable
class EmbedsWords(Protocol):
    """Has a vector for each word that it knows."""

    def word_vectors(self) -> tuple[list[str], Tensor]:
        """Return the words, the most frequent first, and their vectors ``(V, D)`` float32 on the CPU."""
        ...


@runtime_checkable
class CountsWords(Protocol):
    """A data module that knows how often each of its words occurs."""

    @property
    def words(self) -> Sequence[str]:
        """The words, the most frequent first; token ids number them from ``first_id`` on."""
        ...

    @property
    def first_id(self) -> int:
        """The token id of the first of ``words``; those before it are padding and the like."""
        ...

    @property
    def word_counts(self) -> Tensor:
        """How often each of ``words`` occurs in the text, ``(V,)`` int64, 1 or more."""
        ...


@runtime_checkable
class TestsWords(Protocol):
    """A data module that has questions by which vectors of words are judged."""

    @property
    def analogy_questions(self) -> Mapping[str, Sequence[Question]]:
        """Analogies by the name of their section; empty for none."""
        ...

    @property
    def rated_pairs(self) -> Sequence[RatedPair]:
        """Pairs of words that people have rated; empty for none."""
        ...
