"""Parts of words as tokens: byte-pair encoding by the package ``tokenizers``."""

import importlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from typing_extensions import Self, override

from dlmodules.errors import UserError
from dlmodules.protocols import Tokenizer
from dlmodules.sequences.vocabulary import START, STOP

PADDING = "<pad>"
BYTES = 256  # each is a token, so that no text has an unknown one


class BytePairTokenizer(Tokenizer):
    """A ``Tokenizer`` of frequent pieces of text, made of single bytes by merging (Sennrich et al. 2016).

    Every text can be encoded, and decoding gives it back as it was. Of one that was made here token 0 pads.

    Args:
        definition: the JSON text of a ``tokenizer.json``, as the package ``tokenizers`` and Hugging Face write it.

    Raises:
        UserError: without the package ``tokenizers``, and where ``definition`` is something else.
    """

    def __init__(self, definition: str) -> None:
        self.definition = definition
        try:
            self._tokenizer = _package().Tokenizer.from_str(definition)
        except Exception as error:  # the package raises bare exceptions
            raise UserError(f"this is no definition of a tokenizer: {' '.join(str(error).split())}") from error

    @property
    @override
    def pad_id(self) -> int | None:
        """The id of ``<pad>``; None of a tokenizer that has none, such as GPT-2's."""
        return self.id_of(PADDING)

    @property
    def start_id(self) -> int | None:
        """The token id that a sequence begins with; None without marks."""
        return self.id_of(START)

    @property
    def stop_id(self) -> int | None:
        """The token id that ends a sequence; None without marks."""
        return self.id_of(STOP)

    def id_of(self, piece: str) -> int | None:
        """Return the token id of a piece of text or a mark as it is in the vocabulary; None where it is not."""
        found: int | None = self._tokenizer.token_to_id(piece)
        return found

    @classmethod
    def of(cls, texts: Iterable[str], size: int, marks: Sequence[str] = ()) -> Self:
        """Return the tokenizer of at most ``size`` token ids that ``texts`` give, the ``marks`` behind the padding.

        Raises:
            UserError: where ``size`` has no room for the padding, the marks and the 256 bytes.
        """
        if size <= BYTES + len(marks):
            raise UserError(f"a vocabulary of byte pairs of size {size} has no room for the {BYTES} bytes and padding")
        package = _package()
        tokenizer = package.Tokenizer(package.models.BPE())
        tokenizer.pre_tokenizer = package.pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = package.decoders.ByteLevel()
        trainer = package.trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=[PADDING, *marks],
            initial_alphabet=package.pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer.to_str())

    @classmethod
    def of_file(cls, path: str | Path) -> Self:
        """Read a ``tokenizer.json``. Raises UserError where it is missing or is something else."""
        try:
            definition = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise UserError(f"cannot read the tokenizer {path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise UserError(f"the tokenizer {path} is not UTF-8") from error
        try:
            return cls(definition)
        except UserError as error:
            raise UserError(f"{path}: {error}") from error

    @override
    def __len__(self) -> int:
        return int(self._tokenizer.get_vocab_size())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BytePairTokenizer) and json.loads(self.definition) == json.loads(other.definition)

    __hash__ = None  # type: ignore[assignment]  # as of the other tokenizers

    @override
    def encode(self, text: str) -> list[int]:
        """Return the token ids of ``text``, without the special tokens that a model may want around it."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    @override
    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of token ids; special tokens are left out."""
        text: str = self._tokenizer.decode([int(token) for token in ids], skip_special_tokens=True)
        return text

    def plain(self) -> dict[str, Any]:
        """Return what ``of_plain`` makes the same tokenizer of, as plain values."""
        return {"definition": self.definition}

    @classmethod
    def of_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the tokenizer that ``plain`` was made of."""
        return cls(plain["definition"])


def _package() -> Any:
    try:
        return importlib.import_module("tokenizers")
    except ModuleNotFoundError as error:
        raise UserError("byte pairs need the package tokenizers: pip install tokenizers") from error
