import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from pytorch_lightning import LightningModule
from torch import nn

from benchmarks.instruments.traversals_of_images import effects, moments
from benchmarks.instruments.update_clock import WARMUP, UpdateClock
from benchmarks.programs.gans import matched_accuracy, over_updates, paired, steps
from benchmarks.rows import ROWS
from callbacks.images.feature_network import FeatureNetwork
from tests.benchmarks.records import record


def test_every_variant_makes_the_same_number_of_updates():
    rows = [row for row in ROWS.values() if row.table == "gan_table"]
    for row in rows:
        arguments = steps(row)
        total = int(arguments[1]) - row.options.get("warmup", 0)
        assert total / row.options["n_critic"] == 2000
        assert int(arguments[3]) / row.options["n_critic"] == 250
    assert {row.system for row in rows if row.options["n_critic"] > 1} == {"WGAN", "WGANGP"}


def test_a_curve_is_over_updates_of_the_generator(tmp_path):
    row = replace(ROWS["gan_table_10"], options={"n_critic": 2, "warmup": 20})
    path = tmp_path / "metrics.csv"
    # Validations after 20, 40 and 56 steps, of which the first 20 are no updates of the generator.
    path.write_text("step,train/x,val/fid\n9,9,\n19,,90\n29,1,\n39,3,50\n49,5,\n55,,40\n59,7,\n")
    assert over_updates(path, "val/fid", row) == [(10, 50), (18, 40)]
    assert over_updates(path, "train/x", row) == [(10, 2), (18, 5)]
    assert paired([(1, 5.0), (2, 6.0), (3, 7.0)], [(2, 60.0), (3, 70.0)]) == ([6, 7], [60, 70])


class Painter(LightningModule):
    """Paints its class as brightness, in another order, and class 0 half of the time as class 1."""

    image_shape = (1, 4, 4)

    def sample(self, n, labels=None, generator=None):
        order = torch.tensor([3, 1, 4, 0, 5, 9, 2, 6, 8, 7])
        shown = order[torch.where((labels == 0) & (torch.arange(n) % 20 == 0), 1, labels)]
        return (shown.float() / 10 + 0.05).view(n, 1, 1, 1).expand(n, 1, 4, 4)


def read_brightness(images):
    return nn.functional.one_hot((images.mean((1, 2, 3)) * 10).long().clamp(0, 9), 10).float()


READER = FeatureNetwork(nn.Identity(), lambda x: x.flatten(1), read_brightness, {"class": "test"})


def test_classes_are_matched_before_they_are_counted():
    assert matched_accuracy(Painter(), READER, 1000, 0) == pytest.approx(0.95)


def bar(slant, thickness=1):
    """An image of a bar 20 pixels high that moves ``slant`` columns a row upwards."""
    image = torch.zeros(1, 28, 28)
    for row in range(4, 24):
        column = round(14 - slant * (row - 13.5))
        image[0, row, column : column + thickness] = 1
    return image


def test_moments_by_hand():
    found = moments(torch.stack([bar(0), bar(0, 4), bar(0.5), bar(-0.5)]))
    assert found["ink"].tolist() == [20, 80, 20, 20]
    assert found["slant"].tolist() == pytest.approx([0, 0, 0.5, -0.5], abs=0.02)
    # Four columns side by side: the deviation of 0, 1, 2, 3.
    assert found["width"][:2].tolist() == pytest.approx([0, 1.25**0.5])
    assert float(found["width"][2]) < 0.5


class Leaning:
    """``lean`` slants its bars; ``fade`` does nothing to their shape."""

    traversals = ("lean", "fade")
    image_shape = (1, 28, 28)

    def sample(self, n, labels=None, generator=None):
        return torch.stack([bar(slant) for slant in torch.linspace(-0.2, 0.2, n).tolist()])

    def traverse(self, name, values, n, labels=None, generator=None):
        base = torch.linspace(-0.2, 0.2, n)
        lean = [[b + (0.2 * v if name == "lean" else 0) for v in values.tolist()] for b in base.tolist()]
        return torch.stack([torch.stack([bar(slant) for slant in row]) for row in lean])


def test_a_code_that_slants_is_told_from_one_that_does_not():
    found = effects(Leaning(), READER, 1.0, 50, 0)
    # By 0.4, where slants are spread evenly over a range of 0.4: the square root of 12 deviations.
    assert found["lean/slant"] == pytest.approx(12**0.5, rel=0.2)
    assert found["fade/slant"] == 0
    assert found["fade/change"] == 0
    assert found["lean/change"] > 0.01
    assert found["lean/class_kept"] == 1


def test_the_clock_counts_the_steps_after_the_first(tmp_path):
    clock = UpdateClock(str(tmp_path / "update.json"), skip=5)
    for step in range(1, WARMUP + 8):
        trainer = SimpleNamespace(global_step=step)
        clock.on_train_batch_start(trainer, None, None, 0)
        clock.on_train_batch_end(trainer, None, None, None, 0)
    assert clock.steps == 2
    clock.on_train_end(trainer, None)
    found = json.loads((tmp_path / "update.json").read_text())
    assert found["peak_gib"] > 0.1
    assert 0 <= found["cpu_ms"] < 100


def test_the_figure_draws_each_system_once(tmp_path):
    from benchmarks.report.gan_figure import curves, draw

    records = [
        record(
            name=name, kind="table", seed=seed, system=ROWS[name].system, details={"fid": [[250, 90 + seed], [500, 9]]}
        )
        for name in ("gan_table_02", "gan_table_03")
        for seed in (0, 1)
    ]
    found = curves([*records, record(name="mlp_mnist", kind="score")])
    assert found == {"DCGAN": [[[250, 90], [500, 9]], [[250, 91], [500, 9]]], "LSGAN": found["DCGAN"]}
    draw(found, tmp_path / "fid.png")
    assert (tmp_path / "fid.png").stat().st_size > 10_000
