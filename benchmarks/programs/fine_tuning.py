"""Scores of a module that begins with what another one has learned without labels."""

from dataclasses import replace
from pathlib import Path

from benchmarks.context import Context, run_command
from benchmarks.programs import scores
from benchmarks.record import Record
from benchmarks.row import Row
from dlmodules_cli.runs import versions


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit the configuration ``pretraining`` of the row's options, or take its run of before, then ``row`` with it.

    Without the option the row begins anew; the vocabulary is the same.
    """
    pretraining = row.options.get("pretraining")
    words = context.work / "words.json"
    args = [*row.options.get("args", ()), "--data.vocabulary_file", str(words)]
    if pretraining is not None:
        folder = context.work / f"{Path(pretraining).stem}-pretraining-seed{seed}"
        if not list(folder.glob("*/version_*/checkpoints/last.ckpt")):
            fit = ["train.py", "fit", "--config", pretraining, "--seed_everything", str(seed)]
            fit += ["--trainer.default_root_dir", str(folder), "--data.vocabulary_file", str(words)]
            fit += context.on_device()
            fit += ["--trainer.max_epochs", "1", "--trainer.limit_train_batches", "5"] if context.quick else []
            folder.mkdir(parents=True, exist_ok=True)
            run_command(fit, context, folder / "log.txt")
        run = versions(folder / Path(pretraining).stem)[-1]
        args += ["--model.pretrained", str(run / "checkpoints" / "last.ckpt")]
    given = replace(row, options={**row.options, "args": tuple(args)})
    record = scores.measure(given, seed, context)
    return replace(record, args=[str(word) for word in row.options.get("args", ())])  # without folders of this machine
