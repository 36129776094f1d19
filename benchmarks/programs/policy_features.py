"""Scores of agents that learn from the features of an autoencoder, which is trained before them, once for all seeds."""

from dataclasses import replace

from benchmarks.context import Context, run_command
from benchmarks.programs import scores
from benchmarks.record import Record
from benchmarks.row import Row
from dlmodules_cli.runs import versions

AUTOENCODER = "state_mountain_car"


def measure(row: Row, seed: int, context: Context) -> Record:
    """Train the autoencoder where there is none yet, then fit and test ``row`` on its features.

    The record names its checkpoint as it lies below the work folder, which is another on every machine.
    """
    folder = context.work / AUTOENCODER
    if not (folder / AUTOENCODER).is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        config = f"configs/autoencoders/{AUTOENCODER}.yaml"
        fit = ["train.py", "fit", "--config", config, "--trainer.default_root_dir", str(folder)]
        few = ["--trainer.max_epochs", "1", "--trainer.limit_train_batches", "5"] if context.quick else []
        run_command([*fit, "--trainer.callbacks", "null", *few], context, folder / "log.txt")
    path = versions(folder / AUTOENCODER)[-1] / "checkpoints" / "last.ckpt"
    argument = "--model.init_args.features.init_args.ckpt_path"
    options = {**row.options, "args": (argument, str(path.resolve()))}
    record = scores.measure(replace(row, options=options), seed, context)
    return replace(record, args=[argument, path.relative_to(context.work).as_posix()])
