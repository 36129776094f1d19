"""What generates and scores sequences of tokens, and what data of tokens offers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

from dlmodules.protocols.tokenizer import Tokenizer


class TextScore(NamedTuple):
    """How probable a text is.

    Args:
        nats: the negative log-likelihood of its tokens, summed.
        tokens: how many tokens were predicted.
        characters: how many characters they stand for.
    """

    nats: float
    tokens: int
    characters: int


@runtime_checkable
class Generates(Protocol):
    """Predicts a next token again and again: a recurrent network, a Transformer with its cache, counts of n-grams.

    A state is whatever the class needs; only its own methods look into it. It has B rows, one for each sequence.
    """

    def start(self, context: Tensor) -> Any:
        """Return the state after reading ``context`` ``(B, T)`` int64, which may have no column."""

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Read one token ``(B,)`` int64 of each row; return the logits ``(B, V)`` of the next one, and the state."""

    def select(self, state: Any, rows: Tensor) -> Any:
        """Return the state of some ``rows`` ``(N,)`` int64, in this order; a row may come again."""


@runtime_checkable
class ContinuesText(Protocol):
    """Writes text."""

    def first_prompt(self) -> str:
        """Return what a text begins with where nothing is given."""

    def generate_text(
        self, prompt: str, length: int, decoding: Any = ..., generator: torch.Generator | None = None
    ) -> Iterator[str]:
        """Yield, token by token, the text of ``length`` tokens that goes on from ``prompt``.

        ``decoding`` is a ``dlmodules.sequences.decoding.Decoding``.
        """

    def most_probable_texts(self, prompt: str, length: int, beam: int = ...) -> list[tuple[str, float]]:
        """Return what a beam search finds behind ``prompt``, and the log-likelihoods; the best first."""


@runtime_checkable
class ProposesTokens(Protocol):
    """Says what may come next in a text."""

    def first_prompt(self) -> str:
        """Return what a text begins with where nothing is given."""

    def next_tokens(self, text: str, n: int = 10) -> list[tuple[str, float]]:
        """Return the ``n`` most probable continuations of ``text`` by a token, and their probabilities."""


@runtime_checkable
class ScoresText(Protocol):
    """Says how probable a text is, whatever its tokens are."""

    def score(self, text: str) -> TextScore:
        """Return the likelihood of ``text`` after its first token."""


@runtime_checkable
class HasTokenizer(Protocol):
    """Data of tokens."""

    @property
    def tokenizer(self) -> Tokenizer:
        """What made the tokens."""
        ...


@runtime_checkable
class HasLanes(Protocol):
    """Data of windows of running text, which may follow on each other."""

    @property
    def contiguous(self) -> bool:
        """Whether row r of a batch goes on where row r of the batch before ended, but for an epoch's first batch."""
        ...


@runtime_checkable
class CountsCharacters(Protocol):
    """Knows how long its tokens are."""

    def characters_per_token(self, part: str) -> float:
        """Return the mean number of characters of the tokens of ``train``, ``val`` or ``test``."""


@runtime_checkable
class HasPairTokenizers(Protocol):
    """Data of pairs of texts."""

    reverse_source: bool

    @property
    def tokenizers(self) -> tuple[Any, Any]:
        """What made the tokens of the sources, and those of the targets: tokenizers of the package's kinds."""
        ...


@runtime_checkable
class HasPairs(Protocol):
    """Data of pairs of texts that can show some."""

    def example_pairs(self, n: int) -> list[tuple[str, str]]:
        """Return at most ``n`` sources and targets that are not trained on."""
        ...


@runtime_checkable
class TranslatesTexts(Protocol):
    """Writes a text for a text: a translation, a summary, an answer."""

    def translate_texts(self, texts: Sequence[str], beam: int | None = None) -> list[str]:
        """Return what is written for each of ``texts``; ``beam`` says how many a beam search keeps, 1 is greedy."""


@runtime_checkable
class FindsAnswers(Protocol):
    """Tells which words of a text may answer a question."""

    def answer_probabilities(self, text: str) -> tuple[list[str], Tensor]:
        """Return the words of ``text``, D of them, and how probably each answers a question, ``(D,)`` in [0, 1]."""


class AttentionMap(NamedTuple):
    """How much each token of one sequence attends to each of another, or of the same.

    Args:
        queries: the tokens that attend, T of them, as text.
        keys: the tokens that are attended to, S of them.
        weights: ``(T, S)`` in [0, 1], rows that sum to 1, by the name of the layer and the head.
    """

    queries: Sequence[str]
    keys: Sequence[str]
    weights: Mapping[str, Tensor]


@runtime_checkable
class Attends(Protocol):
    """Can show where it looks."""

    def attention_maps(self, text: str) -> AttentionMap:
        """Return the weights of attention for ``text``: to it while another is written, or within it."""
