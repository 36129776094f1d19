"""Ctrl-C in a training is taken as SIGTERM is: the step is finished, the checkpoint written."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TrainingInterruptedError(Exception):
    """A training was ended by Ctrl-C, and its checkpoint was written."""


@contextmanager
def interrupts_end_the_step() -> Iterator[None]:
    """Within, the first Ctrl-C while a trainer listens to SIGTERM is handed to it as one; the second ends at once.

    Lightning finishes the step and saves on SIGTERM alone; a KeyboardInterrupt it raises in the middle of a step.

    Raises:
        TrainingInterruptedError: the training ended so.
    """
    if threading.current_thread() is not threading.main_thread():  # no other may handle signals
        yield
        return
    owner, nobody_listens = os.getpid(), signal.getsignal(signal.SIGTERM)
    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        if os.getpid() != owner:
            return  # a worker that was forked from here; the training still needs it, and ends it
        if interrupted or signal.getsignal(signal.SIGTERM) == nobody_listens:
            raise KeyboardInterrupt
        interrupted = True
        print("\nCtrl-C: stopping after this step; once more stops at once", file=sys.stderr)
        os.kill(owner, signal.SIGTERM)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except SystemExit as stop:  # Lightning's SIGTERMException is one
        if interrupted and type(stop) is not SystemExit:
            raise TrainingInterruptedError from None
        raise
    finally:
        signal.signal(signal.SIGINT, before)
