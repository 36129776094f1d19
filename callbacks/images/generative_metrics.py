"""Metrics that compare the samples of a module with real images."""

import json
import warnings
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.trainer.states import TrainerFn
from pytorch_lightning.utilities.seed import isolate_rng
from torch import Tensor, nn
from typing_extensions import override

from callbacks.base.averages import AveragesExponentially, averaging_callbacks
from callbacks.base.batches import images_and_labels
from callbacks.base.conditions import cycled_labels
from callbacks.base.evaluation import WatchesEvaluation
from callbacks.base.inference import undisturbed
from callbacks.base.media import run_folder, write_file
from callbacks.base.requirements import require
from callbacks.base.trainers import is_quiet
from callbacks.images.feature_network import FeatureNetwork, load_feature_network
from callbacks.images.frechet import GivenFeatures, frechet_distance
from callbacks.images.neighbourhoods import NeighbourhoodScores
from dlmodules.errors import UserError
from dlmodules.protocols import SamplesImages, class_count, finds_classes


class GenerativeMetrics(WatchesEvaluation):
    """Measures samples against the real images of the validation set, or in ``test`` of the test set.

    Logs ``val/fid`` and ``val/kid``; ``val/precision``, ``val/recall`` and ``val/coverage`` (the fractions of
    ``NeighbourhoodScores``); and where the feature network is a classifier ``val/class_coverage``, the fraction of
    the classes that occur among the samples, and for a conditional module ``val/conditional_accuracy``, the
    fraction of the samples that it assigns to their label. A module that discovers its classes without labels gets
    ``val/matched_accuracy`` instead: the same after the best matching of its classes and the classifier's. A score is
    meaningless without its protocol, so the protocol is written beside the scores to ``generative_metrics.json`` in the
    run folder. Scores of different feature networks or numbers of images cannot be compared.

    Args:
        feature_network: the path of a checkpoint of a classifier trained by this package; a network;
            or ``inception``.
        num_samples: how many samples. Small numbers make FID larger.
        every_n_epochs: measure in the first validation, in those of each that many epochs, and in the
            last epoch's.
        batch_size: how many are sampled at once.
        kid_subsets: subsets over which KID is averaged.
        kid_subset_size: images in a subset, fewer where there are fewer images.
        neighbours: whose distance bounds a neighbourhood for precision, recall and coverage; 0 does not measure them.
        coverage_share: a class counts as covered from this fraction of the samples on, in [0, 1].
        seed: seed of the noise and of KID's subsets; no other random numbers are affected.
    """

    def __init__(
        self,
        feature_network: str | Path | nn.Module,
        num_samples: int = 2048,
        every_n_epochs: int = 1,
        batch_size: int = 256,
        kid_subsets: int = 100,
        kid_subset_size: int = 500,
        neighbours: int = 5,
        coverage_share: float = 0.01,
        seed: int = 0,
    ) -> None:
        if num_samples < 2 or min(every_n_epochs, batch_size, kid_subsets) < 1 or kid_subset_size < 2 or neighbours < 0:
            raise UserError(
                "GenerativeMetrics: num_samples and kid_subset_size must be 2 or more, every_n_epochs,"
                " batch_size and kid_subsets 1 or more, neighbours 0 or more"
            )
        self.feature_network = feature_network
        self.num_samples = num_samples
        self.every_n_epochs = every_n_epochs
        self.batch_size = batch_size
        self.kid_subsets = kid_subsets
        self.kid_subset_size = kid_subset_size
        self.neighbours = neighbours
        self.coverage_share = coverage_share
        self.seed = seed
        self._network: FeatureNetwork | None = None
        self._real: dict[str, list[Tensor]] = {}
        self._due = False
        self._collecting: str | None = None

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module that cannot be measured, and load the feature network."""
        name = type(pl_module).__name__
        require(self, pl_module, SamplesImages)
        if stage == "fit" and type(pl_module).validation_step is LightningModule.validation_step:
            raise UserError(
                f"GenerativeMetrics takes real images from the validation, but {name} has no validation_step"
            )
        if self._network is None:
            self._network = load_feature_network(self.feature_network)
        told_apart, sampled = self._network.num_classes, class_count(pl_module)
        if cycled_labels(pl_module, 1) is not None and None not in (told_apart, sampled) and told_apart != sampled:
            raise UserError(f"the feature network tells {told_apart} classes apart, but {name} samples {sampled}")

    @override
    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget the real images of another training."""
        self._real.clear()

    @override
    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to collect real features, where they are due and not known yet."""
        fitting = trainer.state.fn == TrainerFn.FITTING
        epoch = trainer.current_epoch + 1
        # The first time too, or a ModelCheckpoint that watches a score would not find it.
        due = epoch % self.every_n_epochs == 0 or epoch == trainer.max_epochs or "val" not in self._real
        self._start(trainer, "val", due or not fitting, again=not fitting)

    @override
    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start(trainer, "test", due=True, again=True)

    @override
    def on_evaluation_batch(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, dataloader_idx: int
    ) -> None:
        self._collect(batch, dataloader_idx)

    @override
    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._measure_and_log(trainer, pl_module, "val")

    @override
    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._measure_and_log(trainer, pl_module, "test")

    def _start(self, trainer: Trainer, split: str, due: bool, again: bool) -> None:
        self._due = due and not is_quiet(trainer)
        if self._due and (again or split not in self._real):
            self._real[split] = []
            self._collecting = split

    def _collect(self, batch: Any, dataloader_idx: int) -> None:
        if self._collecting is not None and dataloader_idx == 0:
            assert self._network is not None
            images, _ = images_and_labels(batch)
            with torch.no_grad():
                self._real[self._collecting].append(self._network.features(images))

    def _measure_and_log(self, trainer: Trainer, pl_module: LightningModule, split: str) -> None:
        self._collecting = None
        if not self._due or not self._real.get(split):
            return
        scores, protocol = self._measure(trainer, pl_module, split)
        values = {f"{split}/{name}": value for name, value in scores.items()}
        # Every process has the same values; their mean is asked for, since Lightning warns otherwise.
        pl_module.log_dict(values, on_step=False, on_epoch=True, batch_size=1, sync_dist=True)
        if trainer.is_global_zero:
            _report(trainer, split, scores, protocol)

    def _measure(
        self, trainer: Trainer, pl_module: LightningModule, split: str
    ) -> tuple[dict[str, float], dict[str, Any]]:
        from torchmetrics.image.kid import KernelInceptionDistance

        assert self._network is not None
        fake, asked, predicted = self._sample(trainer, pl_module, self._network)
        real = torch.cat(self._real[split])
        n_real, n_fake = _total(trainer, len(real)), _total(trainer, len(fake))
        if n_real < 2:
            raise UserError(f"GenerativeMetrics needs 2 real images or more; the {split} set has {n_real}")
        subset = min(self.kid_subset_size, n_real, n_fake)
        # MPS has no double precision, in which the covariances are summed.
        device = torch.device("cpu") if real.device.type == "mps" else real.device
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*will save all extracted features.*")
            kid = KernelInceptionDistance(
                feature=GivenFeatures(real.shape[1]), subsets=self.kid_subsets, subset_size=subset
            ).to(device)
        real, fake = real.to(device).double(), fake.to(device).double()
        kid.update(real, real=True)
        kid.update(fake, real=False)
        with isolate_rng():  # the subsets come from the global generator
            torch.manual_seed(self.seed)
            scores = {"fid": frechet_distance(real, fake), "kid": float(kid.compute()[0])}
        neighbours = min(self.neighbours, n_real - 1, n_fake - 1)
        if neighbours > 0:
            among = NeighbourhoodScores(neighbours).to(device)
            among.update(real, real=True)
            among.update(fake, real=False)
            scores |= {name: float(value) for name, value in among.compute().items()}
        if predicted is not None:
            scores |= self._class_scores(trainer, pl_module, asked, predicted, n_fake)
        averages = averaging_callbacks(trainer)
        protocol = self._network.description | {
            "split": split,
            "n_real": n_real,
            "n_fake": n_fake,
            "kid_subsets": self.kid_subsets,
            "kid_subset_size": subset,
            "neighbours": neighbours,
            "coverage_share": self.coverage_share,
            "batch_norm": "eval",
            "ema_decay": next(
                (average.decay for average in averages if isinstance(average, AveragesExponentially)), None
            ),
            "seed": self.seed,
        }
        return scores, protocol

    def _sample(
        self, trainer: Trainer, pl_module: LightningModule, network: FeatureNetwork
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Features of this process's part of the samples, the labels asked for and the predicted ones."""
        count = len(range(trainer.global_rank, self.num_samples, trainer.world_size))
        asked = cycled_labels(pl_module, count)
        features, predicted = [], []
        with undisturbed(trainer, pl_module, self.seed + trainer.global_rank) as generator:
            assert isinstance(pl_module, SamplesImages)
            for start in range(0, count, self.batch_size):
                labels = None if asked is None else asked[start : start + self.batch_size]
                n = min(self.batch_size, count - start)
                images = pl_module.sample(n, labels=labels, generator=generator)
                features.append(network.features(images))
                predicted.append(network.classes(images))
        classes = [part for part in predicted if part is not None]
        return torch.cat(features), asked, torch.cat(classes) if classes else None

    def _class_scores(
        self, trainer: Trainer, pl_module: LightningModule, asked: Tensor | None, predicted: Tensor, n_fake: int
    ) -> dict[str, float]:
        assert self._network is not None
        counts = _sum(trainer, torch.bincount(predicted, minlength=self._network.num_classes or 1))
        scores = {"class_coverage": float((counts >= self.coverage_share * n_fake).float().mean())}
        if asked is None:
            return scores
        if finds_classes(pl_module):
            size = max(int(counts.numel()), class_count(pl_module) or 1)
            pairs = torch.bincount(asked * size + predicted, minlength=size * size)
            scores["matched_accuracy"] = matched_fraction(_sum(trainer, pairs).view(size, size))
        else:
            scores["conditional_accuracy"] = float(_sum(trainer, (asked == predicted).sum())) / n_fake
        return scores


def matched_fraction(counts: Tensor) -> float:
    """Return the fraction in [0, 1] of ``counts`` ``(K, K)``, class by what was read, on the best matching of both."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(counts.cpu().numpy(), maximize=True)
    return float(counts[rows, columns].sum() / counts.sum())


def _report(trainer: Trainer, split: str, scores: dict[str, float], protocol: dict[str, Any]) -> None:
    path = run_folder(trainer) / "generative_metrics.json"
    try:
        report = json.loads(path.read_text())
    except (OSError, ValueError):
        report = {}
    report[split] = {"scores": scores, "epoch": trainer.current_epoch, "step": trainer.global_step} | {
        "protocol": protocol
    }
    write_file(trainer, path, lambda target: target.write_text(json.dumps(report, indent=2) + "\n"))


def _sum(trainer: Trainer, values: Tensor) -> Tensor:
    total: Tensor = trainer.strategy.reduce(values, reduce_op="sum")
    return total


def _total(trainer: Trainer, count: int) -> int:
    return int(_sum(trainer, torch.tensor(count, device=trainer.strategy.root_device)))
