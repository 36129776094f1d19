"""The command line of a stage, which knows of its earlier runs."""

from collections.abc import Mapping
from pathlib import Path

from jsonargparse import Namespace
from pytorch_lightning.cli import LightningArgumentParser
from typing_extensions import override

from dlmodules.checkpoints.hashes import file_hash
from dlmodules_cli.cli import SystemCLI
from dlmodules_cli.pipeline.record import StageRecord, identity_of, read_record
from dlmodules_cli.pipeline.stages import LAST
from dlmodules_cli.runs import folder_of_checkpoint, versions


class FinishedError(Exception):
    """The stage has a finished run.

    Args:
        folder: of the run.
        record: of the stage there.
    """

    def __init__(self, folder: Path, record: StageRecord) -> None:
        super().__init__(str(folder))
        self.folder, self.record = folder, record


class StageCLI(SystemCLI):
    """Runs a stage, or goes on with a run of it that was interrupted.

    Attributes:
        folder: of the run.

    Args:
        args: the command line.
        stage: the stage's name.
        checkpoints: those it takes, by the names of their stages.
        root: the folder of all runs.

    Raises:
        FinishedError: there is a finished run of the same.
    """

    folder: Path

    def __init__(self, args: list[str], stage: str, checkpoints: Mapping[str, Path], root: Path) -> None:
        self.stage, self.root = stage, root
        self._hashes = {str(path): file_hash(path) for path in checkpoints.values()}
        super().__init__(args)
        metrics = {name: float(value) for name, value in self.trainer.callback_metrics.items()}
        StageRecord(self._identity, finished=True, metrics=metrics).write(self.folder, stage)

    @override
    def checkpoint_to_take(self, parser: LightningArgumentParser) -> str | None:
        given = super().checkpoint_to_take(parser)
        config = self.config[self.config.subcommand]
        self._identity = identity_of(self._plain(parser), self._hashes, self.root)
        if given is not None:
            beside = folder_of_checkpoint(Path(given))
            folders = [] if beside is None else [beside]
        else:
            folders = list(reversed(versions(self._root(config) / self._name(config))))
        for folder in folders:
            record = read_record(folder, self.stage)
            if record is None or record.identity != self._identity or not (folder / LAST).is_file():
                continue
            if record.finished:
                raise FinishedError(folder, record)
            return given or str(folder / LAST)
        return given

    @override
    def _run_folder(self, config: Namespace) -> Path:
        self.folder = super()._run_folder(config)
        StageRecord(self._identity).write(self.folder, self.stage)
        return self.folder
