"""Token ids of a text in a file that later runs map into memory."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
from pytorch_lightning.utilities import rank_zero_warn

from datamodules.text.windows import TokenArray
from dlmodules.checkpoints.atomic import write_whole
from dlmodules.sequences.tokenizers import SavedTokenizer, as_plain, from_plain, make_tokenizer

FORMAT = 1  # changes when the same text would be encoded otherwise


def cache_folder(cache_dir: str | None) -> Path:
    """Return the folder of the files: ``cache_dir``, or that of the user's caches."""
    if cache_dir is not None:
        return Path(cache_dir).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dlmodules" / "text"


def cached_tokens(text: str, tokenizer: SavedTokenizer, folder: Path) -> TokenArray:
    """Return the token ids ``(N,)`` of ``text``, uint16 or uint32, mapped from a file of ``folder``.

    The file is named by a hash of text and tokenizer, and written where there is none. Where it cannot be written,
    the token ids are in memory.
    """
    path = folder / f"tokens-{_hash(text, json.dumps(as_plain(tokenizer), sort_keys=True))}.npy"
    if (found := _mapped(path)) is not None:
        return found
    kind = np.uint16 if len(tokenizer) <= np.iinfo(np.uint16).max else np.uint32
    tokens = np.array(tokenizer.encode(text), dtype=kind)
    if not _write(path, lambda file: np.save(file, tokens)):
        return tokens
    mapped = _mapped(path)
    return tokens if mapped is None else mapped


def cached_byte_pairs(text: str, size: int, folder: Path) -> SavedTokenizer:
    """Return the tokenizer of byte pairs of ``text``, whose making takes seconds, from a file of ``folder``."""
    path = folder / f"byte-pairs-{_hash(text, str(size))}.json"
    try:
        return from_plain(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        tokenizer = make_tokenizer("byte_pairs", [text], size)
    plain = json.dumps(as_plain(tokenizer), ensure_ascii=False)
    _write(path, lambda file: file.write(plain.encode()))
    return tokenizer


def _hash(*texts: str) -> str:
    digest = hashlib.sha256(str(FORMAT).encode())
    for text in texts:
        digest.update(f"{len(text)}\0".encode())
        digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:24]


def _mapped(path: Path) -> TokenArray | None:
    """Return the array of ``path`` mapped into memory; None where there is none that is whole."""
    try:
        found: TokenArray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.ndim == 1 and found.dtype in (np.uint16, np.uint32) else None


def _write(path: Path, write: Callable[[IO[bytes]], object]) -> bool:
    """Let ``write`` fill the file ``path``, whole or not at all; say whether it could."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, write)
    except OSError as error:
        rank_zero_warn(f"{path} cannot be written ({error.strerror}): the text is encoded anew at each start")
        return False
    return True
