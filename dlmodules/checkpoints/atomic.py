"""Files that are there whole, or not at all."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a name beside ``path``, with its suffix, to write to; the file then takes the place of ``path``.

    What was written is removed where that raises, and ``path`` stays as it was.
    """
    # Of two writers, in two processes or threads, the last one wins, and neither spoils the other's file.
    writer = f"{os.getpid()}-{threading.get_ident()}"
    temporary = path.with_name(f".{path.stem}.{writer}.tmp{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):  # a folder that refused the file has none to remove
            temporary.unlink(missing_ok=True)


def write_whole(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Have ``write`` fill the file ``path``; a kill, a full disk or a power cut leaves there what was."""
    # The process id keeps the writers of two runs in one folder apart.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except (OSError, RuntimeError):
        temporary.unlink(missing_ok=True)
        raise
