"""Reading of text files in UTF-8, compressed by gzip or not."""

import gzip
import zlib
from pathlib import Path

from dlmodules.errors import UserError

GZIP = b"\x1f\x8b"


def read_text(path: str | Path) -> str:
    """Return the text of a file, without a byte order mark.

    Raises:
        UserError: where the file is missing, unreadable, damaged or not UTF-8.
    """
    try:
        content = Path(path).read_bytes()
        content = gzip.decompress(content) if content.startswith(GZIP) else content
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{path} is damaged: {error}") from error
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    return decode(content, str(path))


def files_below(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    """Return the files below ``folder`` whose names end in one of ``endings``, in the order of their paths."""
    return sorted(file for file in folder.rglob("*") if file.is_file() and file.name.endswith(endings))


def decode(content: bytes, place: str) -> str:
    """Return ``content`` as text. Raises UserError that names ``place`` and the line where it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{place}, line {line}: not UTF-8; save the file as UTF-8") from error
