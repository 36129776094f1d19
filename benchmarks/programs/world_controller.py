"""Scores of a controller that sees and remembers by a world model, which is trained first."""

from dataclasses import replace

from benchmarks.context import Context
from benchmarks.programs import scores
from benchmarks.readers import trained_stage
from benchmarks.record import Record
from benchmarks.row import Row

UNTRAINED = ("--model.optimizer", "torch.optim.SGD", "--model.optimizer.lr", "0", "--trainer.max_steps", "1")
"""A memory with its first weights."""


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit the vision and the memory of the row's options, or take those of before, then the row's controller.

    Options: ``vision`` and ``memory``, configurations; ``untrained``, to leave the memory as it begins; ``dreams``, to
    train the controller in dreams of the memory.
    """
    folder = str((context.work / "rollouts").resolve())
    common = ["--data.init_args.seed", str(seed), "--data.init_args.rollouts_dir", folder]
    common += ["--data.init_args.episodes", "4", "--data.init_args.max_steps", "30"] if context.quick else []
    vision = trained_stage(row.options["vision"], seed, common, context)
    common += ["--model.encoder", vision, "--data.init_args.encoder", vision]
    if row.options.get("untrained", False):
        memory = trained_stage(row.options["memory"], seed, [*common, *UNTRAINED], context, kind="-untrained")
    else:
        memory = trained_stage(row.options["memory"], seed, common, context)
    given = (*row.options.get("args", ()), "--model.world", memory)
    if row.options.get("dreams", False):
        given += ("--data.train_env_kwargs.world", memory)
    record = scores.measure(replace(row, options={**row.options, "args": given}), seed, context)
    args = [str(word) for word in row.options.get("args", ())]  # without folders of this machine
    return replace(record, args=args)
