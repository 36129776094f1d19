"""Tokenizers of words and of characters: from text to token ids, and back."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from typing_extensions import Self, override

from dlmodules.checkpoints.atomic import whole_file
from dlmodules.errors import UserError
from dlmodules.protocols import PAD, Tokenizer

UNKNOWN = 1
SPECIAL = ("<pad>", "<unknown>")
START, STOP = "<start>", "<stop>"
MARKS = (START, STOP)  # of a sequence that is written for another one: what it begins with, and what ends it
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")  # letters and digits; an apostrophe inside belongs to the word
WORD_OR_MARK = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


def words_of(text: str) -> list[str]:
    """Return the words of ``text`` in lower case, without punctuation and HTML's line breaks."""
    return WORD.findall(LINE_BREAK.sub(" ", text).lower().replace("’", "'"))


class Vocabulary(Tokenizer):
    """A ``Tokenizer`` of words: 0 pads, 1 is any unknown word, then come the known ones, the most frequent first.

    Args:
        words: the known words in the order of their token ids, which begin at 2; ``<start>`` and ``<stop>`` among them
            are no words but mark the ends of a sequence.

    Raises:
        UserError: where ``words`` holds something else than distinct words.
    """

    pad_id = PAD
    separator = " "

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        if not all(isinstance(word, str) and word for word in self.words):
            raise UserError("a vocabulary is a list of words; one of its entries is none")
        self._ids = {word: token for token, word in enumerate(self.words, start=len(SPECIAL))}
        if len(self._ids) != len(self.words):
            twice = Counter(self.words).most_common(1)[0][0]
            raise UserError(f"the word {twice!r} is in the vocabulary more than once")

    @staticmethod
    def split(text: str) -> list[str]:
        """Return the words of ``text``; a child may split it otherwise."""
        return words_of(text)

    @classmethod
    def of(cls, texts: Iterable[str], size: int, marks: Sequence[str] = ()) -> Self:
        """Return the vocabulary of ``texts`` with at most ``size`` token ids, those of padding and unknown included.

        Words of equal frequency are taken, and numbered, in alphabetical order, behind the ``marks``.

        Raises:
            UserError: where ``size`` has no room for a word.
        """
        room = size - len(SPECIAL) - len(marks)
        if room < 1:
            least = len(SPECIAL) + len(marks) + 1
            raise UserError(f"a vocabulary of size {size} has no room for words; the size must be {least} or more")
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(cls.split(text))
        for mark in marks:  # a text that has one, as a word, does not give it twice
            counts.pop(mark, None)
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return cls([*marks, *(word for word, _ in ranked[:room])])

    def id_of(self, word: str) -> int | None:
        """Return the token id of a word or a mark as it is in the vocabulary; None where it is not."""
        return self._ids.get(word)

    @property
    def start_id(self) -> int | None:
        """The token id that a sequence begins with; None without marks."""
        return self.id_of(START)

    @property
    def stop_id(self) -> int | None:
        """The token id that ends a sequence; None without marks."""
        return self.id_of(STOP)

    @override
    def __len__(self) -> int:
        return len(self.words) + len(SPECIAL)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and type(other) is type(self) and self.words == other.words

    __hash__ = None  # type: ignore[assignment]  # its list of words may be changed

    @override
    def encode(self, text: str) -> list[int]:
        """Return the token ids of the words of ``text``; none where it has none."""
        known = self._ids.get
        return [known(word, UNKNOWN) for word in self.split(text)]

    @override
    def decode(self, ids: Iterable[int]) -> str:
        """Return the words of token ids with blanks between them; padding and marks are left out."""
        known, silent = [*SPECIAL, *self.words], {PAD, self.start_id, self.stop_id}
        return self.separator.join(known[token] for token in map(int, ids) if token not in silent)

    def save(self, path: str | Path) -> None:
        """Write the words to a JSON file. Raises UserError where that cannot be."""
        path = Path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as temporary:
                temporary.write_text(json.dumps({"words": self.words}, ensure_ascii=False), encoding="utf-8")
        except OSError as error:
            raise UserError(f"cannot write the vocabulary to {path}: {error.strerror}") from error

    def plain(self) -> dict[str, Any]:
        """Return what ``of_plain`` makes the same vocabulary of, as plain values."""
        return {"words": self.words}

    @classmethod
    def of_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the vocabulary that ``plain`` was made of."""
        return cls(plain["words"])

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            UserError: where the file is missing, or holds something else.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            words = content["words"]
            if not isinstance(words, list):
                raise TypeError("words is no list")
        except OSError as error:
            raise UserError(f"cannot read the vocabulary {path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f'{path} is no vocabulary; it must be JSON of the form {{"words": [...]}}') from error
        return cls(words)


class MarkedVocabulary(Vocabulary):
    """A ``Tokenizer`` of words in lower case and of punctuation marks, each a token of its own.

    Args:
        words: the known words and marks in the order of their token ids, which begin at 2.
    """

    @staticmethod
    @override
    def split(text: str) -> list[str]:
        return WORD_OR_MARK.findall(text.lower())


class SpacedVocabulary(Vocabulary):
    """A ``Tokenizer`` of whatever stands between blanks, for text that was prepared so.

    Args:
        words: the known pieces in the order of their token ids, which begin at 2.
    """

    @staticmethod
    @override
    def split(text: str) -> list[str]:
        return text.split()


class CharacterVocabulary(Vocabulary):
    """A ``Tokenizer`` of characters: case, blanks and line breaks are kept, and no character is skipped.

    Args:
        words: the known characters in the order of their token ids, which begin at 2.
    """

    separator = ""

    @staticmethod
    @override
    def split(text: str) -> list[str]:
        return list(text)
