"""Entry point: chooses the command, and does what every command needs first."""

import sys
from collections.abc import Sequence
from contextlib import nullcontext

from dlmodules_cli.places import let_own_modules_be_named, refuse_hidden_packages


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line ``args``, by default the program's own."""
    args = list(sys.argv[1:] if args is None else args)
    let_own_modules_be_named()
    refuse_hidden_packages()
    from dlmodules.training.allocator import keep_freed_memory

    keep_freed_memory()
    from dlmodules_cli.errors import run
    from dlmodules_cli.noise import quieten

    quieten()
    run(lambda: _dispatch(args))


def _dispatch(args: list[str]) -> None:
    command = args[0] if args else None
    if command == "systems":
        from dlmodules_cli.systems import print_systems

        print_systems()
    elif command == "sample":
        from dlmodules_cli.sample import sample

        sample(args[1:])
    elif command == "export":
        from dlmodules_cli.export import export

        export(args[1:])
    elif command == "explore":
        from dlmodules_cli.explore.command import explore

        explore(args[1:])
    else:
        from dlmodules_cli.cli import SystemCLI
        from dlmodules_cli.interrupts import interrupts_end_the_step
        from dlmodules_cli.runs import one_run_folder

        with one_run_folder(), interrupts_end_the_step() if command == "fit" else nullcontext():
            SystemCLI(args)
