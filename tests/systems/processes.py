"""Runs of the command line in processes of their own, which may die."""

import multiprocessing
import os
import sys
from pathlib import Path
from typing import NamedTuple

_CONTEXT = multiprocessing.get_context("forkserver")
# What each run imports: the server has it before it forks, which spares every process the seconds.
_CONTEXT.set_forkserver_preload(
    [
        *("dlmodules_cli.cli", "tests.systems.preloaded", "tests.systems.processes"),
        *("safetensors.torch", "sklearn.datasets", "torchvision.transforms.v2", "wandb.apis.public"),
    ]
)
_PATIENCE = 500


class Done(NamedTuple):
    """How a process ended: negative is the signal that ended it."""

    returncode: int | None
    stdout: str
    stderr: str


def in_a_process(arguments: list[str], repository: Path, folder: Path) -> Done:
    """Run ``train.py`` with ``arguments`` and one torch thread; what it says goes through files in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    process = _CONTEXT.Process(target=_run, args=(arguments, repository, folder))
    process.start()
    process.join(_PATIENCE)
    if process.exitcode is None:
        process.kill()
    return Done(process.exitcode, (folder / "stdout").read_text(), (folder / "stderr").read_text())


def _run(arguments: list[str], repository: Path, folder: Path) -> None:
    for stream, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    import torch

    from dlmodules_cli.main import main

    torch.set_num_threads(1)
    sys.argv = [str(repository / "train.py"), *arguments]
    main(arguments)
