"""fastText's binary files: vectors of words and of their parts, from which a word that was never seen gets one."""

import struct
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.sequences.word_vectors import Floats, WordVectors, read_content

MAGIC, VERSION = 793712314, 12
FNV_OFFSET, FNV_PRIME = 2166136261, 16777619


def hash_of(part: bytes) -> int:
    """Return fastText's hash of a part of a word: FNV-1a of 32 bits, but of bytes with a sign."""
    found = FNV_OFFSET
    for byte in part:
        signed = byte if byte < 128 else byte | 0xFFFFFF00
        found = ((found ^ signed) * FNV_PRIME) & 0xFFFFFFFF
    return found


def parts_of(word: str, shortest: int, longest: int) -> list[str]:
    """Return the parts of ``<word>`` of ``shortest`` to ``longest`` characters, but for ``<`` and ``>`` alone."""
    whole = f"<{word}>"
    return [
        whole[start : start + size]
        for start in range(len(whole))
        for size in range(shortest, longest + 1)
        if start + size <= len(whole) and not (size == 1 and start in (0, len(whole) - 1))
    ]


class SubwordVectors(WordVectors):
    """Words and the vectors of their parts: a word has the mean of its own vector and those of its parts.

    Args:
        words: the words, the most frequent first.
        rows: ``(V + buckets, D)``, the vectors of the words alone and of the buckets that parts are hashed to.
        shortest: characters of the shortest parts.
        longest: those of the longest; 0 for no parts.
    """

    def __init__(self, words: list[str], rows: Floats, shortest: int, longest: int) -> None:
        self.rows, self.shortest, self.longest = rows, shortest, longest
        self.buckets = len(rows) - len(words)
        of_words = ([row, *self._part_rows(word, len(words))] for row, word in enumerate(words))
        vectors = np.stack([rows[chosen].mean(axis=0) for chosen in of_words])
        super().__init__(words, torch.from_numpy(vectors))

    def _part_rows(self, word: str, words: int) -> list[int]:
        if self.buckets == 0 or self.longest == 0:
            return []
        parts = parts_of(word, self.shortest, self.longest)
        return [words + hash_of(part.encode()) % self.buckets for part in parts]

    @override
    def vector(self, word: str) -> Tensor:
        """Return the vector ``(D,)`` of any word; of one that is not among ``words``, the mean of its parts.

        Raises UserError for an unknown word without parts.
        """
        if word in self:
            return super().vector(word)
        rows = self._part_rows(word, len(self))
        if not rows:
            raise UserError(f"the word {word!r} is not among the {len(self)} that have a vector, and has no parts")
        return torch.from_numpy(self.rows[rows].mean(axis=0))


class _Reader:
    """Takes numbers of a format, and words, from the front of the bytes of a file."""

    def __init__(self, content: bytes, path: Path) -> None:
        self.content, self.path, self.place = content, path, 0

    def take(self, kinds: str) -> list[int]:
        size = struct.calcsize(f"<{kinds}")
        self.need(size)
        found = struct.unpack_from(f"<{kinds}", self.content, self.place)
        self.place += size
        return list(found)

    def word(self) -> str:
        end = self.content.find(b"\0", self.place)
        if end < 0:
            raise self.damaged()
        try:
            found = self.content[self.place : end].decode("utf-8")
        except UnicodeDecodeError as error:
            raise UserError(f"{self.path}: a word is not UTF-8") from error
        self.place = end + 1
        return found

    def floats(self, rows: int, columns: int) -> Floats:
        self.need(rows * columns * 4)
        found = np.frombuffer(self.content, dtype="<f4", count=rows * columns, offset=self.place)
        self.place += rows * columns * 4
        return found.astype(np.float32, copy=False).reshape(rows, columns)

    def need(self, size: int) -> None:
        if size < 0 or self.place + size > len(self.content):
            raise self.damaged()

    def damaged(self) -> UserError:
        return UserError(f"{self.path} is cut off or damaged; fetch it again")


def read_fasttext(path: str | Path) -> SubwordVectors:
    """Read fastText's binary format (``.bin``), compressed by gzip or not. Labels of a classifier are left out.

    Raises:
        UserError: where the file is missing, damaged, of another format, or quantized (``.ftz``).
    """
    path = Path(path)
    reader = _Reader(read_content(path), path)
    if len(reader.content) < 8 or reader.take("i") != [MAGIC]:
        raise UserError(f"{path} is no binary file of fastText; vectors in text are read by read_text_vectors")
    if (version := reader.take("i")[0]) != VERSION:
        raise UserError(f"{path} is of version {version} of fastText's format; {VERSION} is known")
    # Dimensions, window, epochs, least count, negatives, n-grams of words, loss, model, buckets, shortest and longest
    # part, updates of the rate, and the threshold of subsampling.
    size, *_, shortest, longest, _rate = reader.take("12i")
    reader.take("d")
    entries, known, _labels, _tokens, pruned = reader.take("3i2q")
    if pruned >= 0:
        raise UserError(f"{path} has been pruned or quantized; take the .bin that it was made from")
    words = []
    for _ in range(entries):
        words.append(reader.word())
        reader.take("qb")  # count, and whether it is a label
    if reader.take("b") != [0]:
        raise UserError(f"{path} is quantized; take the .bin that it was made from")
    rows, columns = reader.take("2q")
    if columns != size or not 0 < known <= min(entries, rows):
        raise reader.damaged()
    return SubwordVectors(words[:known], reader.floats(rows, columns), shortest, longest)
