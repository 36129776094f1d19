"""Files that are there whole, or not at all."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any


@contextlib.contextmanager
def whole_file(path: Path, keep_suffix: bool = True) -> Iterator[Path]:
    """Yield a name beside ``path`` to write to; the file then takes the place of ``path``.

    What was written is removed where that raises, and ``path`` stays as it was.

    Args:
        path: the file.
        keep_suffix: end the name as ``path`` ends, by which many writers choose the format; else by ``.tmp``.
    """
    # Of two writers, in two processes or threads, the last one wins, and neither spoils the other's file.
    writer = f"{os.getpid()}-{threading.get_ident()}"
    name = f"{path.stem}.{writer}.tmp{path.suffix}" if keep_suffix else f"{path.name}.{writer}.tmp"
    temporary = path.with_name(f".{name}")
    try:
        yield temporary
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):  # a folder that refused the file has none to remove
            temporary.unlink(missing_ok=True)
        raise


def write_whole(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Have ``write`` fill the file ``path``; a kill, a full disk or a power cut leaves there what was."""
    with whole_file(path, keep_suffix=False) as temporary, open(temporary, "wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
