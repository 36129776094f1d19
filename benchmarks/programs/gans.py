"""Generators: the scores of ``scores``, FID over the updates, and the cost of an update."""

import json
import statistics
from bisect import bisect_left
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule

from benchmarks.classifier import CLASSIFIER
from benchmarks.context import Context
from benchmarks.curves import paired, rank_correlation
from benchmarks.instruments.traversals_of_images import effects
from benchmarks.programs import scores
from benchmarks.record import Record
from benchmarks.row import Row
from callbacks.images.feature_network import FeatureNetwork, load_feature_network
from callbacks.images.generative_metrics import matched_fraction
from dlmodules import InfoGAN
from dlmodules.protocols import SamplesImages, Traverses


def measure(row: Row, seed: int, context: Context) -> Record:
    """Fit and test ``row`` as ``scores`` does, with validations on the way, and read its codes.

    Options of the row: ``n_critic``, ``updates`` of the generator, ``every`` so many of them a validation, or after
    all of the data where that is sooner, and ``warmup``, steps before its first update.
    """
    clock = Path(context.folder(row, seed), "update.json").resolve()
    options = row.options
    with_steps = replace(row, options={**options, "args": (*options.get("args", ()), *steps(row))})
    record = scores.measure(with_steps, seed, context, fit_arguments(row, clock, context))
    cost: dict[str, float] = json.loads(clock.read_text())
    metrics = {**record.metrics, **of_update(cost, options["n_critic"])}
    log = scores.run_folder(row, seed, context, record) / "metrics.csv"
    fid = over_updates(log, "val/fid", row)
    # What a person would watch: the critic's estimate of the distance where there is one.
    watched = over_updates(log, "train/wasserstein", row) or over_updates(log, "train/g_loss", row)
    details: dict[str, Any] = {**record.details, "fid": fid, "watched_loss": watched}
    if (correlation := rank_correlation(*paired(watched, fid))) is not None:
        metrics["loss_correlation"] = correlation
    metrics["loss_swing"] = swing(scores.curve(log, "train/d_loss"))
    if alarm := scores.curve(log, "collapse/distance"):
        metrics["collapse_distance"] = alarm[-1]
    module = scores.trained_module(row, seed, context, record, averaged=True)
    network = load_feature_network(CLASSIFIER)
    n = 100 if context.quick else 1000
    if isinstance(module, InfoGAN):
        metrics["conditional_accuracy"] = matched_accuracy(module, network, 10 * n, seed)
    elif "test/conditional_accuracy@last" in metrics:
        metrics["conditional_accuracy"] = metrics["test/conditional_accuracy@last"]
    if isinstance(module, Traverses):
        metrics |= effects(module, network, options.get("span", 1.0), n, seed)
    return replace(record, metrics=metrics, details=details)


def steps(row: Row) -> list[str]:
    """Return the arguments of the row's number of updates, a validation after each ``every``."""
    each = row.options["every"] * row.options["n_critic"]
    total = row.options["updates"] * row.options["n_critic"] + row.options.get("warmup", 0)
    return ["--trainer.max_steps", str(total), "--trainer.limit_train_batches", str(each)]


def fit_arguments(row: Row, clock: Path, context: Context) -> list[str]:
    """Return what measures on the way."""
    return [
        *scores.generative_arguments(100 if context.quick else 2000),
        "--trainer.callbacks+=benchmarks.instruments.update_clock.UpdateClock",
        f"--trainer.callbacks.result={clock}",
        f"--trainer.callbacks.skip={row.options.get('warmup', 0)}",
    ]


def of_update(cost: dict[str, float], n_critic: int) -> dict[str, float]:
    """Return what an update of the generator costs, the turns of the discriminator before it included."""
    return {"update_ms": cost["cpu_ms"] * n_critic, "peak_gib": cost["peak_gib"]}


def over_updates(path: Path, metric: str, row: Row) -> list[tuple[float, float]]:
    """Return the mean of ``metric`` between the validations, each with the updates of the generator so far."""
    lines = list(scores.logged_rows(path))
    validated = sorted({int(line["step"]) for line in lines if line.get("val/fid")})
    found: dict[int, list[float]] = {}
    for line in lines:
        if line.get(metric):
            place = bisect_left(validated, int(line["step"]))
            if place < len(validated):  # what comes after the last validation belongs to none
                found.setdefault(validated[place], []).append(float(line[metric]))
    warmup, n_critic = row.options.get("warmup", 0), row.options["n_critic"]
    # A step is logged by its index, one below how many there were.
    curve = [((last + 1 - warmup) / n_critic, values) for last, values in sorted(found.items())]
    return [(updates, sum(values) / len(values)) for updates, values in curve if updates > 0]


def swing(losses: list[float]) -> float:
    """Return the standard deviation of the second half of ``losses``."""
    return statistics.pstdev(losses[len(losses) // 2 :]) if losses else 0.0


@torch.no_grad()
def matched_accuracy(module: LightningModule, network: FeatureNetwork, n: int, seed: int) -> float:
    """Return the fraction of ``n`` samples that the classifier assigns to the digit of their class.

    Which digit goes with which class is chosen so that the fraction is largest.
    """
    assert isinstance(module, SamplesImages)
    classes = torch.arange(n) % 10
    generator = torch.Generator().manual_seed(seed)
    images = (module.sample(len(part), labels=part, generator=generator) for part in classes.split(500))
    read = torch.cat([found for part in images if (found := network.classes(part)) is not None])
    return matched_fraction(torch.bincount(classes * 10 + read, minlength=100).view(10, 10))
