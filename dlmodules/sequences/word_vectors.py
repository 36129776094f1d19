"""Vectors of words that others have trained: the text formats of GloVe and word2vec, and both formats of fastText."""

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from dlmodules.errors import UserError
from dlmodules.protocols import Tokenizer
from dlmodules.sequences.vocabulary import UNKNOWN

Floats = npt.NDArray[np.float32]
GZIP = b"\x1f\x8b"


class WordVectors:
    """Words and their vectors, read from a file.

    Args:
        words: the words, in the order of the file, which in all of these formats is that of their frequency.
        vectors: ``(V, D)`` float32.
    """

    def __init__(self, words: Sequence[str], vectors: Tensor) -> None:
        self.words = list(words)
        self.vectors = vectors
        self._rows = {word: row for row, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._rows

    def word_vectors(self) -> tuple[list[str], Tensor]:
        """Return the words and their vectors ``(V, D)``."""
        return self.words, self.vectors

    def vector(self, word: str) -> Tensor:
        """Return the vector ``(D,)`` of ``word``. Raises UserError where it has none."""
        if word not in self._rows:
            raise UserError(f"the word {word!r} is not among the {len(self)} that have a vector")
        return self.vectors[self._rows[word]]


def begin_with_vectors(network: nn.Module, tokenizer: Tokenizer, path: str) -> None:
    """Give the ``embedding`` of ``network`` the vectors of those words that the text file ``path`` has.

    Raises:
        UserError: the file cannot be read, has vectors of another size, or has no word of the tokenizer.
    """
    embedding: Any = network.embedding
    found = read_text_vectors(path)
    size, own = found.vectors.shape[1], embedding.weight.shape[1]
    if size != own:
        raise UserError(f"{path} has vectors of {size} numbers and the model of {own}: set embedding_dim to {size}")
    known = [token for token in range(UNKNOWN + 1, len(tokenizer)) if tokenizer.decode([token]) in found]
    if not known:
        raise UserError(f"{path} has no word of the data: their words are in lower case")
    with torch.no_grad():
        vectors = torch.stack([found.vector(tokenizer.decode([token])) for token in known])
        embedding.weight[known] = vectors.to(embedding.weight)


def read_content(path: Path) -> bytes:
    """Return the bytes of a file, which may be compressed by gzip.

    Raises UserError where it is missing, damaged or cannot be read.
    """
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(GZIP) else content
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{path} is damaged: {error}") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error


def read_text_vectors(path: str | Path) -> WordVectors:
    """Read vectors of words in text: a line of a word and its numbers for each, as GloVe, word2vec and fastText write.

    word2vec and fastText (``.vec``) begin with a line of the number of words and that of dimensions; GloVe does not. A
    word may have spaces in it. Of a word that comes twice the first vector counts.

    Raises:
        UserError: where the file is missing, damaged, empty or not UTF-8, or a line has another number of dimensions,
            or no numbers.
    """
    path = Path(path)
    lines = _lines(path)
    first = lines[0].split()
    header = len(first) == 2 and all(part.isdigit() for part in first)
    size = int(first[1]) if header else _dimensions(lines[0], path)
    rows: dict[str, int] = {}
    vectors = np.empty((len(lines) - header, size), dtype=np.float32)
    for number, line in enumerate(lines[header:], start=1 + header):
        word, *numbers = line.rsplit(b" ", size)
        place = f"{path}, line {number}"
        name = _decode(word, place)
        if name in rows:
            continue
        vectors[len(rows)] = _numbers(word, numbers, size, place)
        rows[name] = len(rows)
    if header and len(lines) - 1 != int(first[0]):
        raise UserError(f"{path} is cut off: its first line says {int(first[0])} words, and it has {len(lines) - 1}")
    return WordVectors(list(rows), torch.from_numpy(vectors[: len(rows)]))


def _lines(path: Path) -> list[bytes]:
    content = read_content(path).removeprefix(b"\xef\xbb\xbf")
    lines = [stripped for line in content.split(b"\n") if (stripped := line.rstrip())]
    if not lines:
        raise UserError(f"{path} is empty; a line of vectors is a word and its numbers")
    return lines


def _dimensions(line: bytes, path: Path) -> int:
    """Return how many numbers end the first line, behind a word without spaces."""
    size = len(line.split(b" ")) - 1
    if size < 1:
        raise UserError(f"{path}, line 1: no numbers; a line of vectors is a word and its numbers with spaces between")
    return size


def _numbers(word: bytes, numbers: Sequence[bytes], size: int, place: str) -> Floats:
    if len(numbers) != size or _is_number(word.rpartition(b" ")[2] if b" " in word else b""):
        found = len(numbers) + word.count(b" ")
        raise UserError(f"{place}: {found} numbers, and the lines before have {size}")
    try:
        vector = np.array(numbers, dtype=np.bytes_).astype(np.float32)
    except ValueError as error:
        raise UserError(f"{place}: what follows the word is not {size} numbers") from error
    if not np.isfinite(vector).all():
        raise UserError(f"{place}: a number is not finite")
    return vector


def _is_number(part: bytes) -> bool:
    try:
        float(part)
    except ValueError:
        return False
    return True


def _decode(word: bytes, place: str) -> str:
    try:
        return word.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{place}: not UTF-8; save the file as UTF-8") from error
