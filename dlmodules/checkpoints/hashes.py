"""What a file contains, in 64 characters."""

import hashlib
from pathlib import Path

from dlmodules.errors import UserError


def file_hash(path: str | Path) -> str:
    """Return the SHA-256 of a file. Raises UserError where there is none."""
    if not Path(path).is_file():
        raise UserError(f"there is no file {path}")
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()
