"""A mistake of the user ends in one line and exit code 2; a bug keeps its traceback."""

import errno
import re
import sys
from collections.abc import Callable
from typing import NoReturn

from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.utilities.exceptions import SIGTERMException

from dlmodules.errors import UserError

SIGTERM_EXIT = 143
INTERRUPT_EXIT = 130
BATCH_OF_ONE = "Expected more than 1 value per channel when training"  # so torch says it


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
    except Exception as error:
        mistake = _user_error_behind(error)
        if mistake is not None:
            fail(str(mistake))
        if isinstance(error, ValueError) and str(error).startswith(BATCH_OF_ONE):
            fail(
                "batch normalization cannot train on a batch of 1: set --data.batch_size to 2 or more, and where only"
                " an epoch's last batch is that small, --data.drop_last true"
            )
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM):
            fail(f"{error.filename or 'a file'}: {error.strerror}")
        raise


def _user_error_behind(error: BaseException | None) -> UserError | None:
    """Return the mistake of the user that ``error`` was raised from: constructors are called by the parser."""
    while error is not None and not isinstance(error, UserError):
        error = error.__cause__
    return error
