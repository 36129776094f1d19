"""How Lightning's commands are run, whoever asks for them."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from dlmodules_cli.cli import SystemCLI

RunT = TypeVar("RunT")


@overload
def train_or_measure(args: list[str]) -> "SystemCLI": ...


@overload
def train_or_measure(args: list[str], start: Callable[[list[str]], RunT]) -> RunT: ...


def train_or_measure(args: list[str], start: Callable[[list[str]], Any] | None = None) -> Any:
    """Run ``fit``, ``validate``, ``test`` or ``predict`` in a run folder of its own, and return what ``start`` does.

    Args:
        args: the command line.
        start: does what it says; None takes ``SystemCLI``. What is wrong with ``args`` is said before, without torch.
    """
    from dlmodules_cli.early import refuse_half_a_choice, resolved
    from dlmodules_cli.interrupts import interrupts_end_the_step
    from dlmodules_cli.runs import one_run_folder

    args = resolved(args)
    if not args[0].startswith("-"):
        refuse_half_a_choice(args)
    from dlmodules_cli.cli import SystemCLI
    from dlmodules_cli.lean import lean_where_known

    with one_run_folder(), lean_where_known(), interrupts_end_the_step() if args[0] == "fit" else nullcontext():
        return (start or SystemCLI)(args)
