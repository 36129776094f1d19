"""The kinds of tokenizers by name, and a tokenizer as plain values, such as a checkpoint or a JSON file holds."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from dlmodules.errors import UserError
from dlmodules.protocols import Tokenizer
from dlmodules.sequences.byte_pairs import BytePairTokenizer
from dlmodules.sequences.vocabulary import CharacterVocabulary, MarkedVocabulary, SpacedVocabulary, Vocabulary

Kind = Literal["characters", "words", "words_and_marks", "spaced", "byte_pairs"]
SavedTokenizer = Vocabulary | BytePairTokenizer
KINDS: dict[str, type[SavedTokenizer]] = {
    "characters": CharacterVocabulary,
    "words": Vocabulary,
    "words_and_marks": MarkedVocabulary,
    "spaced": SpacedVocabulary,
    "byte_pairs": BytePairTokenizer,
}


def kind_of(tokenizer: Tokenizer) -> str:
    """Return the name of the kind of ``tokenizer``. Raises UserError where it is none of ``KINDS``."""
    for name, kind in KINDS.items():
        if type(tokenizer) is kind:
            return name
    raise UserError(f"a checkpoint can hold a tokenizer of {', '.join(KINDS)}, but not {type(tokenizer).__name__}")


def make_tokenizer(kind: str, texts: Iterable[str], size: int, marks: Sequence[str] = ()) -> SavedTokenizer:
    """Return a tokenizer of at most ``size`` token ids, made of ``texts``; ``marks`` are token ids that no text has."""
    if kind not in KINDS:
        raise UserError(f"tokenizer is {kind!r}; it must be one of {', '.join(KINDS)}")
    return KINDS[kind].of(texts, size, marks)


def as_plain(tokenizer: Tokenizer) -> dict[str, Any]:
    """Return ``tokenizer`` as plain values."""
    assert isinstance(tokenizer, (Vocabulary, BytePairTokenizer))
    return {"kind": kind_of(tokenizer), **tokenizer.plain()}


def from_plain(plain: dict[str, Any]) -> SavedTokenizer:
    """Return the tokenizer that ``as_plain`` described. Raises UserError where ``plain`` describes none."""
    try:
        return KINDS[plain["kind"]].of_plain(plain)
    except (KeyError, TypeError) as error:
        raise UserError("this describes no tokenizer: it has no kind, or not what its kind needs") from error
