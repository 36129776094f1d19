"""From text to words, and from words to numbers."""

import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dlmodules.errors import UserError

PAD, UNKNOWN = 0, 1
SPECIAL = ("<pad>", "<unknown>")
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")  # letters and digits; an apostrophe inside belongs to the word
LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)

Tokens = npt.NDArray[np.int32]


def words_of(text: str) -> list[str]:
    """Return the words of ``text`` in lower case, without punctuation and HTML's line breaks."""
    return WORD.findall(LINE_BREAK.sub(" ", text).lower().replace("’", "'"))


class Vocabulary:
    """Numbers of words: 0 pads, 1 is any unknown word, then come the known ones, the most frequent first.

    Args:
        words: the known words in the order of their numbers, which begin at 2.

    Raises:
        UserError: where ``words`` holds something else than distinct words.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        if not all(isinstance(word, str) and word for word in self.words):
            raise UserError("a vocabulary is a list of words; one of its entries is none")
        self._numbers = {word: number for number, word in enumerate(self.words, start=len(SPECIAL))}
        if len(self._numbers) != len(self.words):
            twice = Counter(self.words).most_common(1)[0][0]
            raise UserError(f"the word {twice!r} is in the vocabulary more than once")

    @classmethod
    def of(cls, texts: Iterable[str], size: int) -> "Vocabulary":
        """Return the vocabulary of ``texts`` with at most ``size`` numbers, those for padding and unknown included.

        Words of equal frequency are taken, and numbered, in alphabetical order.

        Raises:
            UserError: where ``size`` has no room for a word.
        """
        if size <= len(SPECIAL):
            raise UserError(f"a vocabulary of size {size} has no room for words; the size must be 3 or more")
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(words_of(text))
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return cls([word for word, _ in ranked[: size - len(SPECIAL)]])

    def __len__(self) -> int:
        return len(self.words) + len(SPECIAL)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.words == other.words

    __hash__ = None  # type: ignore[assignment]  # its list of words may be changed

    def encode(self, text: str) -> Tokens:
        """Return the numbers ``(length,)`` of the words of ``text``, int32; empty where it has none."""
        number = self._numbers.get
        return np.array([number(word, UNKNOWN) for word in words_of(text)], dtype=np.int32)

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the words of ``tokens`` with blanks between them; padding is left out."""
        known = [*SPECIAL, *self.words]
        return " ".join(known[token] for token in map(int, tokens) if token != PAD)

    def save(self, path: str | Path) -> None:
        """Write the words to a JSON file, under a temporary name first, so that there is never half of one."""
        path = Path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="utf-8", delete=False) as file:
                json.dump({"words": self.words}, file, ensure_ascii=False)
            os.chmod(file.name, 0o644)  # a temporary file is for its maker's eyes only
            os.replace(file.name, path)
        except OSError as error:
            raise UserError(f"cannot write the vocabulary to {path}: {error.strerror}") from error

    @classmethod
    def load(cls, path: str | Path) -> "Vocabulary":
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
