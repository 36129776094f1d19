"""What turns texts into token ids and back."""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

PAD = 0
"""The token id of padding, in every batch of token ids and in the networks that embed them."""

IGNORED = -100
"""A target that is not to be predicted, which torch's cross-entropy leaves out: of padding, or of a given token."""


@runtime_checkable
class Tokenizer(Protocol):
    """Texts as token ids ``0 .. len(tokenizer) - 1``: of words, characters, notes or parts of words (BPE)."""

    @property
    def pad_id(self) -> int | None:
        """The token id that fills up a batch and means nothing; None where no text is ever padded."""

    def __len__(self) -> int:
        """Return the number of token ids, padding included: the size of an embedding."""

    def encode(self, text: str) -> list[int]:
        """Return the token ids of ``text``, without padding."""

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of token ids; padding is left out."""
