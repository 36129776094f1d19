"""A mistake of the user ends in one line and exit code 2; a bug keeps its traceback."""

import errno
import re
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from dlmodules.errors import UserError
from dlmodules_cli.interrupts import TrainingInterruptedError

MISFIT = "Error(s) in loading state_dict"  # so torch says that weights are of other shapes
SIGTERM_EXIT = 143
INTERRUPT_EXIT = 130
GO_ON = "go on with --ckpt_path last"
GO_ON_SAME = "go on with the same command"
IN_OTHER_WORDS = {
    "Expected more than 1 value per channel when training": (  # torch
        "batch normalization cannot train on a batch of 1: set --data.batch_size to 2 or more, and where only"
        " an epoch's last batch is that small, --data.drop_last true"
    ),
    "Found more than one stateful callback of type": (  # Lightning
        "two callbacks of the trainer are the same: leave one out, or give each a `name` of its own where it has one"
    ),
}
"""What is said instead of an error of a library's that begins so, and that the user can mend."""


def fail(message: str) -> NoReturn:
    """Print ``message`` as one line and exit with code 2."""
    print("error: " + re.sub(r"\s+", " ", message).strip(), file=sys.stderr)
    raise SystemExit(2)


def run(command: Callable[[], None], go_on: str = GO_ON) -> None:
    """Run ``command``; turn mistakes of the user into one line and exit code 2.

    ``go_on`` is how a training that was stopped goes on, in words.
    """
    try:
        command()
    except UserError as error:
        fail(str(error))
    except TrainingInterruptedError:
        print(f"stopped by Ctrl-C; {go_on}", file=sys.stderr)
        raise SystemExit(INTERRUPT_EXIT) from None
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPT_EXIT) from None
    except SystemExit as stop:
        if _is_lightnings(stop, "SIGTERMException"):
            print(f"stopped by SIGTERM; {go_on}", file=sys.stderr)
            raise SystemExit(SIGTERM_EXIT) from None
        # Lightning ends with 1 where a KeyboardInterrupt reached it.
        if isinstance(stop.__context__, KeyboardInterrupt):
            raise SystemExit(INTERRUPT_EXIT) from None
        raise
    except Exception as error:
        if _is_lightnings(error, "MisconfigurationException"):  # its word for what the user asked of the trainer
            fail(str(error).splitlines()[0])
        mistake = _user_error_behind(error)
        if mistake is not None:
            fail(str(mistake))
        if (said := _user_error_of_a_process(error)) is not None:
            fail(said)
        for start, line in IN_OTHER_WORDS.items():
            if str(error).startswith(start):
                fail(line)
        if missing := re.search(r"class_path '([\w.]+)'.*Requirement '([\w-]+)' not met", str(error), re.DOTALL):
            fail(f"{missing[1].rpartition('.')[2]} needs a package: pip install {missing[2]}")
        if isinstance(error, ValueError) and (optimizer := _optimizer_that_raised(error)):
            fail(f"{optimizer}: {error}; its arguments are options such as --model.optimizer.lr")
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM):
            fail(f"{error.filename or 'a file'}: {error.strerror}")
        if isinstance(error, RuntimeError) and str(error).startswith(MISFIT):
            first = (str(error).splitlines()[1:] or [""])[0].strip()
            fail(f"the checkpoint does not fit the module ({first}): give no --model options that change its sizes")
        raise


def _is_lightnings(error: BaseException, name: str) -> bool:
    """Whether ``error`` is one of Lightning's, which is not imported to be asked."""
    return _is_of(error, "lightning", name)


def _is_of(error: BaseException, package: str, name: str) -> bool:
    return any(cls.__name__ == name and package in cls.__module__ for cls in type(error).__mro__)


def _user_error_of_a_process(error: Exception) -> str | None:
    """Return the mistake of the user that a process found that torch has forked; all that comes back is its report."""
    if not _is_of(error, "torch", "ProcessRaisedException"):
        return None
    found = re.search(rf"^{UserError.__module__}\.{UserError.__name__}: (.*)", str(error), re.MULTILINE | re.DOTALL)
    return None if found is None else found[1]


def _raising_frame(error: BaseException) -> FrameType | None:
    """Return the frame of the function that raised ``error``."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return None if last is None else last.tb_frame


def _optimizer_that_raised(error: BaseException) -> str | None:
    """Return the class of torch's optimizers whose constructor refused its arguments; None for any other error."""
    frame = _raising_frame(error)
    if frame is None or frame.f_code.co_name != "__init__":
        return None
    cls = type(frame.f_locals.get("self"))
    return cls.__name__ if cls.__module__.startswith("torch.optim") else None


def _user_error_behind(error: BaseException | None) -> UserError | None:
    """Return the mistake of the user that ``error`` was raised from: constructors are called by the parser.

    Where an argument may have several types, jsonargparse tries them all. Its error names the first one's as its cause;
    the others are in ``exceptions``, a variable of the function that raises.
    """
    if error is None or isinstance(error, UserError):
        return error
    frame = _raising_frame(error)
    tried = () if frame is None else frame.f_locals.get("exceptions", ())
    found = map(_user_error_behind, (error.__cause__, *(one for one in tried if isinstance(one, Exception))))
    return next((mistake for mistake in found if mistake is not None), None)
