"""The MLP on the tables of vasilev: irises and exclusive or."""

from functools import partial

import pytest
import pytorch_lightning as pl
import torch

from datamodules import IrisDataModule, XORDataModule
from datamodules.tables.rows import RowDataModule
from dlmodules import MLPClassifier
from tests.quiet import quiet_trainer


def accuracy(module: MLPClassifier, data: RowDataModule, epochs: int, folder: object) -> float:
    trainer = quiet_trainer(max_epochs=epochs, default_root_dir=folder, limit_val_batches=0)
    trainer.fit(module, data)
    return trainer.test(module, data, verbose=False)[0]["test/accuracy"]


def test_parameter_counts():
    assert sum(p.numel() for p in MLPClassifier([4], 3, [5]).parameters()) == 43
    assert sum(p.numel() for p in MLPClassifier([2], 2, [4], activation="tanh").parameters()) == 22


@pytest.mark.learning
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_irises_with_one_error_at_most(seed, tmp_path):
    """The configuration mlp_iris: 50 steps on all 120 rows. By chance 20 of 30 are wrong."""
    pl.seed_everything(seed)
    sgd = partial(torch.optim.SGD, lr=0.1, momentum=0.9)
    module = MLPClassifier([4], 3, [5], dropout=0.0, optimizer=sgd)
    data = IrisDataModule(batch_size=120, val_size=0, standardize=True)
    assert 30 * (1 - accuracy(module, data, 50, tmp_path)) < 1.5


@pytest.mark.learning
@pytest.mark.parametrize(("activation", "learns"), [("tanh", True), ("linear", False)])
def test_exclusive_or_needs_a_hidden_layer_that_bends(activation, learns, tmp_path):
    pl.seed_everything(0)
    sgd = partial(torch.optim.SGD, lr=0.5)
    module = MLPClassifier([2], 2, [4], activation=activation, dropout=0.0, optimizer=sgd)
    assert (accuracy(module, XORDataModule(batch_size=4), 600, tmp_path) == 1.0) == learns
