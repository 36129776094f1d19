"""Entry point: chooses the command, and does what every command needs first."""

import sys
from collections.abc import Sequence

from dlmodules_cli.places import let_own_modules_be_named, refuse_hidden_packages


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line ``args``, by default the program's own."""
    args = list(sys.argv[1:] if args is None else args)
    let_own_modules_be_named()
    refuse_hidden_packages()
    from dlmodules.training.allocator import keep_freed_memory

    keep_freed_memory()
    from dlmodules_cli.errors import GO_ON, GO_ON_SAME, run
    from dlmodules_cli.noise import quieten

    quieten()
    run(lambda: _dispatch(args), GO_ON_SAME if args[:1] == ["pipeline"] else GO_ON)


def _dispatch(args: list[str]) -> None:
    """Run a command. What is wrong is said before torch is imported wherever that can be."""
    from dlmodules.errors import UserError
    from dlmodules_cli.commands import COMMANDS, overview, show

    command, rest = (args[0], args[1:]) if args else ("--help", [])
    if command in ("--help", "-h", "help"):
        show(overview())
    elif command == "systems":
        from dlmodules_cli.systems import print_systems

        print_systems(rest)
    elif command == "dashboard":
        from dlmodules_cli.dashboard.command import dashboard

        dashboard(rest)
    elif command == "pipeline":
        from dlmodules_cli.pipeline.command import pipeline

        pipeline(rest)
    elif command == "play":
        _play(rest)
    elif command in ("sample", "score", "translate", "export", "explore"):
        _on_a_checkpoint(command, rest)
    elif command in COMMANDS or command.startswith("-"):
        from dlmodules_cli.running import train_or_measure

        train_or_measure(args)
    else:
        from dlmodules_cli.messages import unknown_command

        raise UserError(unknown_command(command))


def _play(args: list[str]) -> None:
    from dlmodules_cli.options import parse

    if args and not args[0].startswith("-"):
        args = ["--ckpt_path", *args]
    chosen = parse("play", args)
    if chosen.ckpt_path is not None:
        from dlmodules_cli.runs import newest_checkpoint

        chosen.ckpt_path = str(newest_checkpoint(chosen.ckpt_path))
    from dlmodules_cli.play.command import play

    play(chosen)


def _on_a_checkpoint(command: str, args: list[str]) -> None:
    from dlmodules_cli.options import parse
    from dlmodules_cli.runs import newest_checkpoint

    if args and not args[0].startswith("-"):
        args = ["--ckpt_path", *args]
    chosen = parse(command, args)
    checkpoint = str(newest_checkpoint(chosen.ckpt_path))
    if checkpoint != chosen.ckpt_path:
        print(f"taking {checkpoint}")
    chosen.ckpt_path = checkpoint
    if command == "sample":
        from dlmodules_cli.sample import sample

        sample(chosen)
    elif command == "score":
        from dlmodules_cli.score import score

        score(chosen)
    elif command == "translate":
        from dlmodules_cli.translate import translate

        translate(chosen)
    elif command == "export":
        from dlmodules_cli.export import export

        export(chosen)
    else:
        from dlmodules_cli.explore.command import explore

        explore(chosen)
