"""The LightningCLI of the package: its run folder, its loggers, its checkpoints, its error lines."""

import os
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import yaml
from jsonargparse import Namespace
from pytorch_lightning.callbacks import BasePredictionWriter, ModelSummary, ProgressBar
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI, SaveConfigCallback
from pytorch_lightning.plugins.io import CheckpointIO
from pytorch_lightning.utilities import rank_zero_only
from typing_extensions import override

import callbacks
import datamodules
import dlmodules
from callbacks.run.checkpoints import AtomicCheckpointIO, LastCheckpoint
from callbacks.run.console import EpochLines, NetworkSummary
from callbacks.run.exact_resume import ExactResume
from callbacks.run.loggers import RunCSVLogger, RunWandbLogger
from callbacks.run.throttled_progress_bar import ThrottledProgressBar
from dlmodules.checkpoints.loading import load_checkpoint
from dlmodules.errors import UserError
from dlmodules.protocols import HasBestMetric
from dlmodules_cli.failed_starts import MadeFolder, made_for, remove_failed_start
from dlmodules_cli.family_defaults import with_defaults
from dlmodules_cli.fitting_data import refuse_unfit_data
from dlmodules_cli.messages import OneLineErrors
from dlmodules_cli.predictions import WritePredictions
from dlmodules_cli.runs import (
    DEFAULT_ROOT,
    FOLDER_VARIABLE,
    find_checkpoint,
    folder_of_checkpoint,
    new_run_folder,
    provenance,
    run_id,
    run_name,
)
from dlmodules_cli.tags import tags_of


class SystemArgumentParser(OneLineErrors, LightningArgumentParser):
    """The parser of the Lightning commands."""


class SaveRunConfig(SaveConfigCallback):
    """Write ``config.yaml`` into the run folder when a fit starts, and give the configuration to W&B.

    Args:
        folder: the run folder; loggers of the user's own have a folder of theirs, which gets the file too.
        arguments, more: those of Lightning's callback.
    """

    def __init__(self, *arguments: Any, folder: Path | None = None, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.folder = folder
        self.log_dir: str | None = None

    @override
    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Save for ``fit`` alone: a later test in the same folder leaves the training's configuration."""
        if stage == "fit":
            # Every process must ask: it is a broadcast, which save_config, called in the first one alone, cannot make.
            self.log_dir = trainer.log_dir
            super().setup(trainer, pl_module, stage)

    @override
    def save_config(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Give the whole configuration, the commit and the package versions to W&B."""
        if self.folder is not None and Path(str(self.log_dir)) != self.folder:
            path = self.folder / self.config_filename
            self.parser.save(self.config, path, skip_none=False, overwrite=True, multifile=False)
        for logger in trainer.loggers:
            if isinstance(logger, RunWandbLogger):
                logger.log_hyperparams(self._saved() | {"provenance": provenance()})

    def _saved(self) -> dict[str, Any]:
        """Return what the file says: to read it is much faster than to dump the configuration once more."""
        if self.folder is None:
            text = self.parser.dump(self.config, skip_none=False)
        else:
            text = (self.folder / self.config_filename).read_text(encoding="utf-8")
        found: dict[str, Any] = yaml.safe_load(text)
        return found


class SystemCLI(LightningCLI):
    """``fit``, ``validate``, ``test`` and ``predict`` for every public system.

    Every fit gets a run folder with ``config.yaml``, ``metrics.csv``, ``checkpoints/last.ckpt`` and
    ``best.ckpt``; whatever callbacks a configuration lists, exact resume is on.
    """

    def __init__(self, args: list[str]) -> None:
        self._requested = next((arg for arg in args if not arg.startswith("-")), None)
        self._checkpoint: Path | None = None
        # Short class names resolve among the classes that are imported.
        for package in (dlmodules, datamodules, callbacks):
            for name in package.__all__:
                getattr(package, name)
        self._made: MadeFolder | None = None
        args, self._defaults = with_defaults(args)
        SystemArgumentParser.command_line = args
        try:
            self._run()
        except BaseException:
            if self._made is not None:
                remove_failed_start(self._made, getattr(self, "trainer", None))
            raise

    def _run(self) -> None:
        """Parse the command line and do what it says, as the constructor of Lightning's class does."""
        super().__init__(
            model_class=pl.LightningModule,
            datamodule_class=pl.LightningDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            seed_everything_default=0,
            trainer_defaults={"default_root_dir": DEFAULT_ROOT},
            auto_configure_optimizers=False,
            parser_class=SystemArgumentParser,
            save_config_callback=SaveRunConfig,
            save_config_kwargs={"overwrite": True},
            args=SystemArgumentParser.command_line,
        )

    @override
    def init_parser(self, **kwargs: Any) -> LightningArgumentParser:
        """Let the saved configuration begin with the commit and the package versions."""
        kwargs |= {"allow_abbrev": False}
        return super().init_parser(**kwargs | {"dump_header": [f"{k}: {v}" for k, v in provenance().items()]})

    @override
    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Let ``predict`` be told where to write."""
        if self._requested == "predict":
            parser.add_argument(
                "--output",
                type=str | None,
                default=None,
                help="Folder or file for the predictions, .csv or .npz; by default predictions.csv or predictions.npz"
                " in the run's folder.",
            )

    @override
    def subcommands(self) -> dict[str, set[str]]:  # type: ignore[override]  # static there
        """Build the parser of the requested subcommand alone: each costs as much as all the rest of the start."""
        known = super().subcommands()
        return {self._requested: known[self._requested]} if self._requested in known else known

    @override
    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse, then find the checkpoint and see that it is one of the configured class."""
        self.config = parser.parse_args(args)
        config = self.config[self.config.subcommand]
        if "weights_only" in config:
            config.weights_only = True
        config.ckpt_path = self.checkpoint_to_take(parser)
        if not config.ckpt_path:
            return
        training = self.config.subcommand == "fit"
        self._checkpoint = find_checkpoint(
            str(config.ckpt_path), self._root(config), self._name(config), self._plain(parser), training
        )
        config.ckpt_path = str(self._checkpoint)
        checkpoint = load_checkpoint(self._checkpoint)
        saved = checkpoint.get("hyper_parameters", {}).get("_class_path")
        # By name: the same class may be written by its public and by its full path.
        saved_name, name = (str(path).rpartition(".")[2] for path in (saved, config.model.class_path))
        if saved is not None and saved_name != name:
            raise UserError(
                f"{self._checkpoint} is a checkpoint of {saved_name}, but the configuration names {name}:"
                " give the configuration that made the checkpoint"
            )
        rank_zero_only(print)(
            f"{'resuming' if training else 'taking'} {self._checkpoint} at step {checkpoint.get('global_step')}"
        )

    def checkpoint_to_take(self, parser: LightningArgumentParser) -> str | None:
        """Return ``--ckpt_path``, which ``self.config`` has; a child may know of another where there is none."""
        given: str | None = self.config[self.config.subcommand].get("ckpt_path")
        return given

    def _plain(self, parser: LightningArgumentParser) -> dict[str, Any]:
        """Return the configuration of the command as ``config.yaml`` would have it."""
        dumped = yaml.safe_load(parser.dump(self.config, skip_none=False, skip_validation=True))
        found: dict[str, Any] = dumped[self.config.subcommand]
        return found

    @override
    def _parse_ckpt_path(self) -> None:
        """Take the module's arguments from the checkpoint, but those of the command line from there.

        Lightning, whose private hook this is, takes all of them from the checkpoint, and says nothing of it.
        """
        before = self.config[self.config.subcommand].model
        super()._parse_ckpt_path()
        if self._checkpoint is None:
            return
        merged = self.config[self.config.subcommand].model
        for name in _given_model_arguments(SystemArgumentParser.command_line):
            merged.init_args[name] = before.init_args[name]

    @staticmethod
    def _root(config: Namespace) -> Path:
        return Path(config.trainer.default_root_dir or DEFAULT_ROOT)

    @staticmethod
    def _name(config: Namespace) -> str:
        data = config.get("data")
        configs = [str(path) for path in config.get("config") or ()]
        return run_name(configs, config.model.class_path, data.class_path if data else None)

    @override
    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """Add run folder, loggers and checkpoints to what the configuration says of the trainer."""
        refuse_unfit_data(self.model, self.datamodule)
        if self._defaults is not None:
            rank_zero_only(print)(self._defaults)
        config = self.config[self.subcommand]
        trainer = self._get(self.config_init, "trainer")
        if trainer.get("fast_dev_run"):
            return super().instantiate_trainer(**kwargs)
        folder = self._run_folder(config)
        self.save_config_kwargs["folder"] = folder
        given = trainer.get("logger")
        if given in (None, True):
            kwargs["logger"] = self._loggers(folder, config)
        elif isinstance(given, list) and len(given) == _added_loggers(SystemArgumentParser.command_line):
            kwargs["logger"] = [*self._loggers(folder, config), *given]
        own = list(_as_list(trainer.get("callbacks")))
        if self.subcommand == "predict" and not any(isinstance(c, BasePredictionWriter) for c in own):
            own.append(WritePredictions(Path(config.output or folder)))
        if trainer.get("enable_progress_bar") is not False and not any(isinstance(c, ProgressBar) for c in own):
            own.append(ThrottledProgressBar() if sys.stdout.isatty() else EpochLines())
        if trainer.get("enable_model_summary") is not False and not any(isinstance(c, ModelSummary) for c in own):
            own.append(NetworkSummary())
        if trainer.get("enable_checkpointing") is not False:
            own += self._checkpointing(folder, own)
            plugins = _as_list(trainer.get("plugins"))
            if not any(isinstance(plugin, CheckpointIO) for plugin in plugins):
                kwargs["plugins"] = [*plugins, AtomicCheckpointIO()]
        kwargs["callbacks"] = own
        return super().instantiate_trainer(**kwargs)

    def after_fit(self) -> None:
        """Say where everything is."""
        folder = self.trainer.log_dir
        if folder is None or not self.trainer.is_global_zero or not Path(folder).is_dir():
            return
        print(f"run folder: {folder}")
        pictures = sorted(Path(folder, "media").glob("*.*"), key=lambda path: path.stat().st_mtime)
        latest = {re.sub(r"-\d{7}$", "", path.stem): path for path in pictures}
        for path in latest.values():
            print(f"  {path}")

    def _run_folder(self, config: Namespace) -> Path:
        if self._checkpoint is not None and (folder := folder_of_checkpoint(self._checkpoint)) is not None:
            return folder
        root, name = self._root(config), self._name(config)
        others = FOLDER_VARIABLE in os.environ  # of the process that has started this one
        parents = made_for(root / name / "version_0")
        folder = new_run_folder(root, name)
        if not others:
            self._made = MadeFolder(folder, parents)
        return folder

    def _loggers(self, folder: Path, config: Namespace) -> list[Any]:
        loggers: list[Any] = [RunCSVLogger(folder)]
        tags = tags_of(type(self.model), [Path(str(path)) for path in config.get("config") or ()])
        # A test of its checkpoint goes on with the run of a training, and does not turn it into a test.
        job_type = "fit" if (folder / "config.yaml").is_file() else self.subcommand
        try:
            loggers.append(RunWandbLogger(folder, run_id(folder), tags=tags, job_type=job_type))
        except ModuleNotFoundError as error:
            warnings.warn(f"no Weights & Biases: {error}", stacklevel=2)
        return loggers

    def _checkpointing(self, folder: Path, own: list[pl.Callback]) -> list[pl.Callback]:
        added: list[pl.Callback] = []
        if not any(isinstance(callback, ExactResume) for callback in own):
            added.append(ExactResume())
        if not any(isinstance(callback, LastCheckpoint) for callback in own):
            added.append(LastCheckpoint(str(folder / "checkpoints")))
        best = self.model.best_metric if isinstance(self.model, HasBestMetric) else None
        if best is not None and not any(isinstance(c, pl.callbacks.ModelCheckpoint) for c in own):
            metric, mode = best
            added.append(
                pl.callbacks.ModelCheckpoint(
                    folder / "checkpoints",
                    filename="best",
                    monitor=metric,
                    mode=mode,
                    save_on_train_epoch_end=False,
                    enable_version_counter=False,
                )
            )
        return added


def _given_model_arguments(args: list[str]) -> set[str]:
    """Return the names of the module's arguments that options such as ``--model.NAME`` or ``--model.NAME.lr`` set."""
    found = (re.match(r"--model\.(?:init_args\.)?(\w+)", arg) for arg in args)
    return {match[1] for match in found if match is not None}


def _added_loggers(args: list[str]) -> int:
    """Return how many loggers the command adds with ``--trainer.logger+=...``."""
    return sum(arg.startswith("--trainer.logger+") for arg in args)


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
