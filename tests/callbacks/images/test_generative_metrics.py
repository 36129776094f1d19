import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from callbacks import GenerativeMetrics, GeneratorEMA
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ToyVAE, loader, random_states, trainer


def frechet(a, b):
    """The distance of two Gaussians, by eigenvalues of a symmetric matrix instead of a general one."""
    (ma, mb), (sa, sb) = (a.mean(0), b.mean(0)), (np.cov(a.T), np.cov(b.T))
    values, vectors = np.linalg.eigh(sa)
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ sb @ root).clip(0)).sum()
    return ((ma - mb) ** 2).sum() + np.trace(sa) + np.trace(sb) - 2 * cross


def kernel_distance(a, b):
    """The unbiased squared MMD with the kernel (x.y / d + 1)^3."""

    def kernel(x, y):
        return (x @ y.T / x.shape[1] + 1) ** 3

    n = len(a)
    off = ~np.eye(n, dtype=bool)
    within = kernel(a, a)[off].sum() + kernel(b, b)[off].sum()
    return within / (n * (n - 1)) - 2 * kernel(a, b).mean()


class Fixed(ToyVAE):
    """Samples given images in order."""

    def __init__(self, images):
        super().__init__(size=images.shape[-1])
        self.images, self.given = images, 0

    def sample(self, n, labels=None, generator=None):
        torch.rand(3)
        start = self.given % len(self.images)
        self.given += n
        return self.images[start : start + n]


def pixels(n, seed, brightness=1.0, size=8):
    return torch.rand(n, 1, size, size, generator=torch.Generator().manual_seed(seed)) * brightness


def data(images):
    return DataLoader(TensorDataset(images, torch.zeros(len(images), dtype=torch.long)), 100)


def measured(tmp_path, real, fake, **options):
    metrics = GenerativeMetrics(nn.Flatten(), num_samples=len(fake), batch_size=64, **options)
    fitted = trainer(tmp_path, metrics)
    fitted.validate(Fixed(fake), data(real), verbose=False)
    return {name: float(value) for name, value in fitted.callback_metrics.items()}


@pytest.mark.parametrize("size", [8, 16])  # 64 features, 256 features
def test_fid_is_the_distance_of_two_gaussians(tmp_path, size):
    real, fake = pixels(700, 1, size=size), pixels(500, 2, 0.8, size=size)
    got = measured(tmp_path, real, fake, kid_subsets=1)["val/fid"]
    expected = frechet(real.flatten(1).double().numpy(), fake.flatten(1).double().numpy())
    assert got == pytest.approx(expected, rel=1e-4)
    assert got > 1


def test_real_images_are_near_themselves(tmp_path):
    # A hundred images have 99 directions in 256 dimensions: covariances without an inverse.
    same = pixels(100, 1, size=16)
    scores = measured(tmp_path, same, same)
    assert scores["val/fid"] == pytest.approx(0, abs=1e-4)
    near = measured(tmp_path, pixels(4000, 1), pixels(4000, 2))
    assert 0 < near["val/fid"] < 0.15
    assert abs(near["val/kid"]) < 1e-3


def test_kid_of_the_whole_sets(tmp_path):
    real, fake = pixels(200, 1), pixels(200, 2, 0.8)
    got = measured(tmp_path, real, fake, kid_subsets=1, kid_subset_size=999)["val/kid"]
    assert got == pytest.approx(kernel_distance(*(x.flatten(1).double().numpy() for x in (real, fake))), rel=1e-4)


def test_precision_and_recall_are_apart(tmp_path):
    """All samples among the darker half of the real images: precise, but half of the images have none near."""
    real = torch.cat([pixels(100, 1), pixels(100, 2) + 5])
    scores = measured(tmp_path, real, pixels(100, 3))
    assert scores["val/precision"] > 0.6
    assert scores["val/recall"] <= 0.5
    assert 0.4 < scores["val/coverage"] <= 0.5
    assert "val/precision" not in measured(tmp_path, real, pixels(100, 3), neighbours=0)


class Reader(nn.Module):
    """Reads the class off the brightness: 0.05 is class 0, 0.15 class 1 and so on."""

    num_classes = 5

    def features(self, x):
        return x.flatten(1)

    def forward(self, x):
        classes = (x.mean((1, 2, 3)) * 10).long().clamp(max=4)
        return torch.nn.functional.one_hot(classes, self.num_classes).float()


class Conditional(ToyVAE):
    """Makes the class it is asked for, but for class 4 makes class 3."""

    conditional = True
    num_classes = 5

    def sample(self, n, labels=None, generator=None):
        made = labels.clamp(max=3).float() / 10 + 0.05
        return made.view(n, 1, 1, 1).expand(n, 1, 8, 8) + torch.rand(n, 1, 8, 8, generator=generator) / 100


def test_asked_labels_are_read_back(tmp_path):
    metrics = GenerativeMetrics(Reader(), num_samples=100, batch_size=33)
    fitted = trainer(tmp_path, metrics)
    fitted.validate(Conditional(), loader(), verbose=False)
    assert float(fitted.callback_metrics["val/conditional_accuracy"]) == pytest.approx(0.8)
    assert float(fitted.callback_metrics["val/class_coverage"]) == pytest.approx(0.8)


class Finder(Conditional):
    """Shows classes of its own as the others in another order: 4 as 0, and 3 and 0 both as 3."""

    finds_classes = True

    def sample(self, n, labels=None, generator=None):
        shown = torch.tensor([3, 2, 1, 3, 0])[labels]
        return super().sample(n, shown, generator)


def test_classes_that_are_found_are_matched_before_they_are_counted(tmp_path):
    module = Finder()
    metrics = GenerativeMetrics(Reader(), num_samples=100, batch_size=33)
    fitted = trainer(tmp_path, metrics)
    fitted.validate(module, loader(), verbose=False)
    assert float(fitted.callback_metrics["val/matched_accuracy"]) == pytest.approx(0.8)
    assert "val/conditional_accuracy" not in fitted.callback_metrics
    module.finds_classes = False  # it was told them: then their order counts, and 3 alone is where it belongs
    fitted.validate(module, loader(), verbose=False)
    assert float(fitted.callback_metrics["val/conditional_accuracy"]) == pytest.approx(0.2)
    assert "val/matched_accuracy" not in fitted.callback_metrics


@pytest.mark.parametrize(("share", "covered"), [(0.01, 1.0), (0.5, 0.2)])
def test_coverage_counts_classes_with_their_share(tmp_path, share, covered):
    fake = torch.full((100, 1, 8, 8), 0.05) + pixels(100, 1, 0.01)  # 96 of class 0, one of each other
    fake[[20, 40, 60, 80]] += torch.tensor([0.1, 0.2, 0.3, 0.4]).view(4, 1, 1, 1)
    metrics = GenerativeMetrics(Reader(), num_samples=100, coverage_share=share)
    fitted = trainer(tmp_path, metrics)
    fitted.validate(Fixed(fake), loader(), verbose=False)
    assert float(fitted.callback_metrics["val/class_coverage"]) == pytest.approx(covered)
    assert "val/conditional_accuracy" not in fitted.callback_metrics


def test_scores_come_when_due_and_can_be_monitored(tmp_path):
    calls = []

    class Counted(GenerativeMetrics):
        def _measure(self, trainer, pl_module, split):
            calls.append((trainer.current_epoch, sum(len(part) for part in self._real[split])))
            return super()._measure(trainer, pl_module, split)

    saver = ModelCheckpoint(tmp_path, monitor="val/fid", save_top_k=-1)
    metrics = Counted(nn.Flatten(), num_samples=32, every_n_epochs=3)
    fitted = trainer(tmp_path, metrics, saver, max_epochs=7, num_sanity_val_steps=2, enable_checkpointing=True)
    fitted.fit(ToyVAE(), loader(), loader(n=40))
    assert calls == [(0, 40), (2, 40), (5, 40), (6, 40)]
    assert saver.best_model_score == min(saver.best_k_models.values())


def test_training_is_the_same_with_and_without_it(tmp_path):
    ends = []
    for callbacks in ([], [GenerativeMetrics(Reader(), num_samples=20)]):
        torch.manual_seed(0)
        module = ToyVAE()
        trainer(tmp_path, *callbacks, max_epochs=2).fit(module, loader(), loader())
        ends.append((torch.cat([t.flatten().double() for t in module.state_dict().values()]), random_states()))
    assert torch.equal(ends[0][0], ends[1][0])
    assert ends[0][1] == ends[1][1]


def test_scores_repeat_and_depend_on_the_seed(tmp_path):
    module = ToyVAE()

    def score(seed):
        fitted = trainer(tmp_path, GenerativeMetrics(nn.Flatten(), num_samples=64, seed=seed))
        fitted.validate(module, loader(n=64), verbose=False)
        return float(fitted.callback_metrics["val/fid"]), float(fitted.callback_metrics["val/kid"])

    assert score(1) == score(1)
    assert score(1)[0] != score(2)[0]


def test_protocol_lies_beside_the_scores(tmp_path):
    metrics = GenerativeMetrics(Reader(), num_samples=20, kid_subsets=3)
    fitted = trainer(tmp_path, metrics, GeneratorEMA(0.9))
    module = ToyVAE()
    fitted.fit(module, loader(), loader(n=24))
    fitted.test(module, loader(n=16, seed=1), verbose=False)
    report = json.loads((tmp_path / "generative_metrics.json").read_text())
    assert report.keys() == {"val", "test"}
    assert report["val"]["protocol"] == {
        "class": f"{__name__}.Reader",
        "split": "val",
        "n_real": 24,
        "n_fake": 20,
        "kid_subsets": 3,
        "kid_subset_size": 20,
        "neighbours": 5,
        "coverage_share": 0.01,
        "batch_norm": "eval",
        "ema_decay": 0.9,
        "seed": 0,
    }
    assert report["val"]["step"] == 3
    assert report["test"]["protocol"]["n_real"] == 16
    assert report["test"]["scores"]["fid"] == pytest.approx(float(fitted.callback_metrics["test/fid"]))


def test_another_training_has_its_own_real_images(tmp_path):
    metrics = GenerativeMetrics(nn.Flatten(), num_samples=20)
    for n in (24, 40):
        trainer(tmp_path, metrics).fit(ToyVAE(), loader(), loader(n=n))
        report = json.loads((tmp_path / "generative_metrics.json").read_text())
        assert report["val"]["protocol"]["n_real"] == n


def test_fast_dev_run_measures_nothing(tmp_path):
    trainer(tmp_path, GenerativeMetrics(nn.Flatten()), fast_dev_run=True).fit(ToyVAE(), loader(), loader())
    assert not (tmp_path / "generative_metrics.json").exists()


def test_mistakes_are_told_before_training(tmp_path):
    class NoValidation(LightningModule):
        image_shape = (1, 8, 8)
        sample = ToyVAE.sample

    class Plain(LightningModule):
        pass

    class Three(Conditional):
        num_classes = 3

    def setup(module, network="", stage="fit"):
        GenerativeMetrics(network or nn.Flatten()).setup(trainer(tmp_path), module, stage)

    with pytest.raises(UserError, match="a method `sample`; Plain has none"):
        setup(Plain())
    with pytest.raises(UserError, match="NoValidation has no validation_step"):
        setup(NoValidation())
    with pytest.raises(UserError, match=r"feature_network: there is no checkpoint nowhere\.ckpt"):
        setup(ToyVAE(), "nowhere.ckpt")
    with pytest.raises(UserError, match="tells 5 classes apart, but Three samples 3"):
        setup(Three(), Reader())
    for options in ({"num_samples": 1}, {"every_n_epochs": 0}, {"kid_subset_size": 1}, {"neighbours": -1}):
        with pytest.raises(UserError, match="GenerativeMetrics: "):
            GenerativeMetrics("x", **options)


@pytest.mark.slow
def test_two_processes_agree_and_count_all_images(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import torch
            from tests.callbacks.callback_toys import ToyVAE, loader, trainer
            from callbacks import (GenerativeMetrics, GeneratorEMA, LatentMap, LossCurve, Reconstructions,
                SampleGrid)
            from tests.callbacks.callback_toys import ToyVAE, loader, trainer
            from tests.callbacks.images.test_generative_metrics import Reader

            torch.set_num_threads(1)
            torch.manual_seed(0)
            drawing = [SampleGrid(4), Reconstructions(4), LatentMap(manifold_size=3), LossCurve()]
            fitted = trainer({str(tmp_path)!r}, GeneratorEMA(0.9), GenerativeMetrics(Reader(), 33), *drawing,
                strategy="ddp", devices=2, max_epochs=2)
            fitted.fit(ToyVAE(), loader(), loader(n=24))
            names = ("val/fid", "val/kid", "val/precision", "val/recall", "val/coverage")
            values = torch.tensor([float(fitted.callback_metrics[n]) for n in names])
            gathered = fitted.strategy.all_gather(values)
            assert torch.equal(gathered[0], gathered[1]), gathered
            """
        )
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, script],
        cwd=root,
        env=_environment(root),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    protocol = json.loads((tmp_path / "generative_metrics.json").read_text())["val"]["protocol"]
    assert (protocol["n_real"], protocol["n_fake"]) == (24, 33)
    names = {path.name.split("-")[0] for path in (tmp_path / "media").iterdir()}
    pictures = {"samples", "reconstructions", "latent_map", "latent_manifold", "loss_curve.png", "samples_film.gif"}
    assert names == pictures


def _environment(root):
    import os

    return os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
