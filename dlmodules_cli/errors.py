"""A mistake of the user ends in one line and exit code 2; a bug keeps its traceback."""

import errno
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.utilities.exceptions import SIGTERMException

from dlmodules.errors import UserError

SIGTERM_EXIT = 143
INTERRUPT_EXIT = 130


def fail(message: str) -> NoReturn:
    """Print ``message`` as one line and exit with code 2."""
    print("error: " + re.sub(r"\s+", " ", message).strip(), file=sys.stderr)
    raise SystemExit(2)


def run(command: Callable[[], None]) -> None:
    """Run ``command``; turn mistakes of the user into one line and exit code 2."""
    try:
        command()
    except UserError as error:
        fail(str(error))
    except MisconfigurationException as error:  # Lightning's word for what the user asked of the trainer
        fail(str(error).splitlines()[0])
    except SIGTERMException:
        print("stopped by SIGTERM; checkpoints/last.ckpt is up to date", file=sys.stderr)
        raise SystemExit(SIGTERM_EXIT) from None
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPT_EXIT) from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM):
            fail(f"{error.filename or 'a file'}: {error.strerror}")
        raise


@contextmanager
def named(what: str) -> Iterator[None]:
    """Say ``what`` was being done when a mistake of the user is raised inside."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{what}: {error}") from error
