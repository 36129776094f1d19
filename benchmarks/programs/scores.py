"""Scores: train a configuration by the command line, test its checkpoints, collect the logged metrics."""

import csv
import importlib
import json
import math
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pytorch_lightning import LightningModule

from benchmarks.classifier import CLASSIFIER, named_classifier
from benchmarks.context import Context, processor_seconds, row_record, run_command, run_here, sweep_variables
from benchmarks.curves import HELD_OUT_RETURN
from benchmarks.programs import baselines
from benchmarks.record import ROOT, Record
from benchmarks.row import Row
from callbacks import EMA
from dlmodules.checkpoints.loading import load_checkpoint, load_module
from dlmodules.errors import UserError
from dlmodules_cli.runs import run_name as name_of_runs
from dlmodules_cli.runs import versions

RESERVE = "seconds_for_the_test"  # the option of a row that trains as far as the time goes


def measure(row: Row, seed: int, context: Context, on_the_way: Sequence[str] = ()) -> Record:
    """Fit and test ``row`` with ``seed``.

    A metric that is not finite stays out of the record's metrics and is named in its details. ``on_the_way`` are more
    arguments of the fit, which measure and change nothing.
    """
    begin = time.perf_counter()
    folder = context.folder(row, seed)
    log = folder / "log.txt"
    generative = bool(row.options.get("generative"))
    extra = generative_arguments(500 if context.quick else 10_000) if generative else []
    common = [
        *(("--config", row.config) if row.config else ()),
        *(data_arguments(row, context) if "data" in row.options else ()),
        *row.options.get("args", ()),
        *("--seed_everything", str(seed), "--data.init_args.seed", str(seed)),
        *("--trainer.default_root_dir", str(folder)),
        *context.on_device(),
    ]
    start = run_here if row.cost == "seconds" else run_command
    fit_args = [*on_the_way, *limit(row, context), *quick_arguments(row, context)]
    fit = ["train.py", "fit", *common, *fit_args]
    before = processor_seconds()
    fit_seconds = start(fit, context, log, **sweep_variables())
    processor = round(processor_seconds() - before, 1)
    run = versions(folder / run_name(row))[-1]
    metrics: dict[str, float] = {}
    stage = row.options.get("stage", "test")
    few = ["--trainer.limit_test_batches", "2"] if context.quick and not generative and stage == "test" else []
    for name in row.options.get("checkpoints", ("last",)):
        checkpoint = str(run / "checkpoints" / f"{name}.ckpt")
        test = ["train.py", stage, *common, "--ckpt_path", checkpoint]
        start([*test, *extra, *few], context, log)
        metrics |= {f"{key}@{name}": value for key, value in metrics_of_test(run / "metrics.csv", stage).items()}
    finite = {key: value for key, value in metrics.items() if math.isfinite(value)}
    details: dict[str, Any] = {"run": run.name, "processor_seconds": processor}
    if infinite := metrics.keys() - finite.keys():
        details["not finite"] = {key: str(metrics[key]) for key in sorted(infinite)}
    metrics = finite
    protocol = row.protocol
    if RESERVE in row.options:
        metrics["epochs"] = epochs_done(run / "metrics.csv")
    if generative:
        details["protocol"] = json.loads((run / "generative_metrics.json").read_text())["test"]["protocol"]
        protocol += named_classifier()
    if "episodes_until" in row.options:
        episodes = episodes_until(run / "metrics.csv", row.options["episodes_until"])
        metrics |= {} if episodes is None else {f"episodes_until_{row.options['episodes_until']:.0f}": episodes}
    if "last_episodes" in row.options:
        metrics["train/return_of_last_episodes"] = return_of_last(run / "metrics.csv", row.options["last_episodes"])
    if any(figure.interquartile for figure in row.figures):
        details[HELD_OUT_RETURN] = curve_over(run / "metrics.csv", "env_steps", HELD_OUT_RETURN)
    if "rise" in row.options:
        metrics[f"rise/{row.options['rise']}"] = rise_of(run / "metrics.csv", row.options["rise"])
    for name in row.options.get("logged", ()):
        metrics[name] = curve(run / "metrics.csv", name)[-1]
    if row.options.get("train_accuracy"):
        metrics["train/accuracy"] = mean_of_last_epoch(run / "metrics.csv", "train/accuracy")
    if "baseline" in row.options:
        metrics |= baselines.of_run(row.options["baseline"], run / "config.yaml")
    return row_record(
        row,
        seed,
        begin,
        metrics=metrics,
        steps=steps_of(run / "checkpoints" / "last.ckpt"),
        wall_seconds=round(fit_seconds, 1),
        protocol=protocol,
        details=details,
    )


def limit(row: Row, context: Context) -> list[str]:
    """Return what ends a fit that goes as far as the time does, with as many seconds left for the test as it needs."""
    if RESERVE not in row.options or context.seconds_left is None:
        return []
    minutes, seconds = divmod(max(1, int(context.seconds_left - row.options[RESERVE])), 60)
    return ["--trainer.max_time", f"00:00:{minutes:02}:{seconds:02}"]


def epochs_done(path: Path) -> float:
    """Return how many epochs of a ``metrics.csv`` were complete: each ends with a validation."""
    return float(sum(1 for row in logged_rows(path) if row.get("val/loss")))


def trained_module(row: Row, seed: int, context: Context, record: Record, averaged: bool = False) -> LightningModule:
    """Return the module of the last checkpoint of the run that ``record`` measured, for evaluation.

    With ``averaged`` it has the averaged weights of ``EMA``, where the run has them.
    """
    path = run_folder(row, seed, context, record) / "checkpoints" / "last.ckpt"
    checkpoint = load_checkpoint(path)
    module = load_module(path, checkpoint).eval()
    if averaged:
        EMA.load_averaged(module, checkpoint)
    return module


def run_folder(row: Row, seed: int, context: Context, record: Record) -> Path:
    """Return the folder of the run that ``record`` measured."""
    return context.folder(row, seed) / run_name(row) / str(record.details["run"])


def data_of_run(row: Row, seed: int, context: Context, record: Record) -> Any:
    """Return the data module of the run that ``record`` measured, ready for all stages."""
    config = run_folder(row, seed, context, record) / "config.yaml"
    return baselines.data_of(yaml.safe_load(config.read_text())["data"])


def run_name(row: Row) -> str:
    """Return what the command line names the runs of ``row``: its configuration, or else its model and data."""
    if row.config:
        return Path(row.config).stem
    args = list(row.options["args"])
    given = [args[args.index(f"--{what}") + 1] for what in ("model", "data")]
    return name_of_runs((), *given)


def data_arguments(row: Row, context: Context) -> list[str]:
    """Return the arguments by which a run of ``row`` takes its data from an archive."""
    arguments: list[str] = importlib.import_module(f"benchmarks.data.{row.options['data']}").arguments(context)
    return arguments


def quick_arguments(row: Row, context: Context) -> list[str]:
    """Return what makes a fit end after a few steps."""
    if not context.quick:
        return []
    settings = yaml.safe_load((ROOT / row.config).read_text()) if row.config else {"data": {}, "trainer": {}}
    if "total_steps" in settings["data"].get("init_args", {}):  # of an environment
        return ["--data.init_args.total_steps", "2000", "--data.init_args.steps_per_epoch", "1000"]
    by_steps = "max_steps" in settings["trainer"]
    steps = ["--trainer.max_steps", "10"] if by_steps else ["--trainer.max_epochs", "1"]
    return [*steps, "--trainer.limit_train_batches", "5", "--trainer.limit_val_batches", "2"]


def generative_arguments(num_samples: int) -> list[str]:
    """Return what adds FID, KID and class coverage of so many samples to a run."""
    return [
        "--trainer.callbacks+=callbacks.GenerativeMetrics",
        f"--trainer.callbacks.feature_network={CLASSIFIER}",
        f"--trainer.callbacks.num_samples={num_samples}",
    ]


def metrics_of_test(path: Path, stage: str = "test") -> dict[str, float]:
    """Return the last value of each metric of ``test``, or of ``validate``, in a ``metrics.csv``."""
    prefix = {"test": "test/", "validate": "val/"}[stage]
    found = {
        key: float(value) for row in logged_rows(path) for key, value in row.items() if key.startswith(prefix) and value
    }
    if not found:
        raise UserError(f"{path} has no metrics of a {stage}")
    return found


def episodes_until(path: Path, threshold: float, window: int = 100) -> float | None:
    """Return how many episodes were over when ``train/return`` first was ``threshold``; None where it never was."""
    for row in logged_rows(path):
        episodes, value = row.get("train/episodes"), row.get("train/return")
        if episodes and value and float(episodes) >= window and float(value) >= threshold:
            return float(episodes)
    return None


def return_of_last(path: Path, episodes: int) -> float:
    """Return the mean return of the last ``episodes`` of a training.

    It is that of the ``train/return`` of each logged step, itself a mean over the last 100 episodes, which counts as
    often as episodes ended since the one before.
    """
    rows = [row for row in logged_rows(path) if row.get("train/return")]
    counts = [float(row["train/episodes"]) for row in rows]
    ended = np.diff(np.maximum([0.0, *counts], counts[-1] - episodes))
    return float(np.average([float(row["train/return"]) for row in rows], weights=ended))


def mean_of_last_epoch(path: Path, metric: str) -> float:
    """Return the mean of what was logged as ``metric`` in the last epoch that logged it."""
    rows = [row for row in logged_rows(path) if row.get(metric)]
    last = max(float(row["epoch"]) for row in rows)
    return statistics.fmean(float(row[metric]) for row in rows if float(row["epoch"]) == last)


def rise_of(path: Path, metric: str) -> float:
    """Return by how much the mean of the last quarter of what was logged as ``metric`` is above that of the first."""
    values = curve(path, metric)
    quarter = max(1, len(values) // 4)
    return statistics.fmean(values[-quarter:]) - statistics.fmean(values[:quarter])


def curve(path: Path, metric: str) -> list[float]:
    """Return the values that were logged as ``metric``, in their order."""
    return [float(row[metric]) for row in logged_rows(path) if row.get(metric)]


def curve_over(path: Path, x: str, metric: str) -> list[tuple[float, float]]:
    """Return pairs of what was logged as ``x`` and as ``metric``, where both were."""
    return [(float(row[x]), float(row[metric])) for row in logged_rows(path) if row.get(x) and row.get(metric)]


def logged_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a ``metrics.csv``."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def steps_of(path: Path) -> int:
    """Return the training steps of a checkpoint; environment steps where it is of an agent."""
    checkpoint = load_checkpoint(path)
    return int(checkpoint.get("agent", {}).get("env_steps", checkpoint["global_step"]))
