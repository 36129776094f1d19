"""The command: its options, and the stages in their order. Nothing here imports torch before a stage is run."""

import os
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from dlmodules.errors import UserError
from dlmodules_cli.commands import program, show
from dlmodules_cli.given import words_of
from dlmodules_cli.pipeline.stages import LAST, ROOT, Stage, find_pipeline, read_stages, with_options
from dlmodules_cli.running import train_or_measure
from dlmodules_cli.runs import DEFAULT_ROOT, FOLDER_VARIABLE

HELP = """usage: {program} pipeline NAME [--root FOLDER] [--STAGE.OPTION VALUE ...] [--OPTION VALUE ...]

Train the stages of a pipeline one after another, each with the checkpoints of those before it.

NAME is a pipeline such as world_models/dodge, or a file that lists stages.
  --root FOLDER           folder of all runs (default: {root})
  --STAGE.OPTION VALUE    an option of one stage, such as --vae.trainer.max_epochs 1
  --OPTION VALUE          an option of all stages, such as --data.seed 1

A stage that is finished is not run again, unless its options or a checkpoint that it takes have changed. One that was
interrupted goes on."""


def pipeline(args: list[str]) -> None:
    """Run the pipeline that a command line names.

    Raises:
        UserError: there is no such pipeline or option, or a stage cannot be run.
    """
    if {"--help", "-h"} & set(args):
        show(HELP.format(program=program(), root=DEFAULT_ROOT))
        return
    stages, root = chosen_stages(args)
    if FOLDER_VARIABLE in os.environ:
        raise UserError("the stages of a pipeline run in one process: set --trainer.devices to 1")
    run_stages(stages, root)


def chosen_stages(args: list[str]) -> tuple[list[Stage], Path]:
    """Return the stages that a command line names, with its options, and the folder of the runs.

    Raises:
        UserError: there is no such pipeline or option.
    """
    if not args or args[0].startswith("-"):
        raise UserError("pipeline must be given a name or a file first, such as pipeline world_models/dodge")
    words, options = words_of(args[1:]), []
    root = Path(DEFAULT_ROOT)
    for option, value in zip_longest(words[::2], words[1::2]):
        if not option.startswith("--"):
            raise UserError(f"there is no place for {option}: pipeline takes one name, and then options")
        if value is None:
            raise UserError(f"{option} must be given a value")
        if option == f"--{ROOT}":
            root = Path(value)
        else:
            options.append((option.removeprefix("--"), value))
    return with_options(read_stages(find_pipeline(args[0])), options), root


def run_stages(stages: Sequence[Stage], root: Path) -> dict[str, Path]:
    """Run what is not finished, and return the run folder of each stage by its name.

    Args:
        stages: in their order.
        root: folder of all runs.

    Raises:
        UserError: a stage cannot be run, or leaves no checkpoint for a later one.
    """
    folders: dict[str, Path] = {}
    for number, stage in enumerate(stages, 1):
        said = f"stage {number} of {len(stages)}, {stage.name}"
        print(f"{said}: {stage.subcommand} {Path(stage.config).stem}", flush=True)
        taken = {name: folders[name] / LAST for name in stage.placeholders() if name != ROOT}
        for name, checkpoint in taken.items():
            if not checkpoint.is_file():
                raise UserError(f"stage {stage.name} takes the checkpoint of {name}, which has left no {checkpoint}")
        folders[stage.name], metrics = run_stage(stage, taken, root)
        if metrics is not None:
            print(f"{said}: finished before, {folders[stage.name]}")
            for name, value in metrics.items() if stage.subcommand != "fit" else ():
                print(f"  {name} {value:.6g}")
    return folders


def run_stage(stage: Stage, taken: Mapping[str, Path], root: Path) -> tuple[Path, Mapping[str, float] | None]:
    """Run a stage, and return its run folder; the metrics, too, where it was finished before."""
    from dlmodules_cli.pipeline.stage_cli import FinishedError, StageCLI

    try:
        done = train_or_measure(stage.arguments(taken, root), lambda args: StageCLI(args, stage.name, taken, root))
    except FinishedError as finished:
        return finished.folder, finished.record.metrics
    return done.folder, None
