"""The classifier that scores are measured in lies beside them, and reads digits."""

import os
import re
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

from benchmarks import classifier
from benchmarks.classifier import CLASSIFIER, keep, named_classifier
from benchmarks.rows.shared import READER
from datamodules import MNISTDataModule
from dlmodules import CNNClassifier
from dlmodules.checkpoints.loading import load_checkpoint, load_module

REAL = os.environ.get("DLMODULES_DATA", "")


def test_it_is_of_weights_and_hyperparameters_alone():
    assert set(load_checkpoint(CLASSIFIER)) == {"pytorch-lightning_version", "state_dict", "hyper_parameters"}
    assert isinstance(load_module(CLASSIFIER), CNNClassifier)


@pytest.mark.slow
@pytest.mark.skipif(not REAL or not (Path(REAL) / "MNIST" / "raw").is_dir(), reason="needs MNIST in $DLMODULES_DATA")
@torch.no_grad()
def test_it_reads_the_share_of_test_images_that_protocols_name():
    data = MNISTDataModule(batch_size=1000)
    data.setup("test")
    module = load_module(CLASSIFIER)
    right = torch.cat([module(x).argmax(1) == y for x, y in data.test_dataloader()])
    named = re.search(r"reads ([\d.]+) % of the test images", READER)
    assert named is not None
    share = 100 * float(right.float().mean())
    assert share == pytest.approx(float(named[1]), abs=0.05)
    assert share >= 99


def test_another_one_can_be_kept(tmp_path, monkeypatch):
    before = named_classifier()
    monkeypatch.setattr(classifier, "CLASSIFIER", tmp_path / "kept" / "other.ckpt")
    module = CNNClassifier()
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_model_summary=False)
    trainer.strategy.connect(module)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    keep(tmp_path / "last.ckpt")
    assert named_classifier() != before
    kept = load_module(tmp_path / "kept" / "other.ckpt").state_dict()
    assert all(torch.equal(value, kept[name]) for name, value in module.state_dict().items())
