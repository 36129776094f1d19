"""Linear regression: a step and the metrics by hand, and that it finds the plane."""

import math

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from sklearn.linear_model import LinearRegression as LeastSquares
from torch.utils.data import DataLoader, TensorDataset

from datamodules import DiabetesDataModule
from dlmodules import LinearRegression
from dlmodules.errors import UserError
from tests.quiet import quiet_trainer


def trainer(folder: object, epochs: int) -> pl.Trainer:
    return quiet_trainer(max_epochs=epochs, default_root_dir=folder)


def identity() -> LinearRegression:
    """A module that predicts its one input."""
    module = LinearRegression([1], bias=False)
    torch.nn.init.ones_(module.network.linear.weight)
    return module


def test_parameter_count():
    assert sum(p.numel() for p in LinearRegression().parameters()) == 6
    assert sum(p.numel() for p in LinearRegression(bias=False).parameters()) == 5  # the book's first form


def test_a_step_by_hand():
    """Errors 2 and 5 on (1, 2) and (3, 4): a gradient of 2/2 (1*2 + 3*5, 2*2 + 4*5) = (17, 24), 7 of the bias."""
    module = LinearRegression([2])
    torch.nn.init.ones_(module.network.linear.weight)
    torch.nn.init.zeros_(module.network.linear.bias)
    optimizer = module.configure_optimizers()
    loss = module.training_step((torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1.0, 2.0])), 0)
    assert loss.item() == (4 + 25) / 2
    loss.backward()
    optimizer.step()
    assert module.network.linear.weight[0].tolist() == pytest.approx([1 - 0.17, 1 - 0.24])
    assert module.network.linear.bias.item() == pytest.approx(-0.07)


def test_metrics_by_hand(tmp_path):
    """Predictions 1, 2, 3 of 1, 2, 6: squared errors 9 of a variation of 4 + 1 + 9 about the mean 3."""
    rows = TensorDataset(torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([1.0, 2.0, 6.0]))
    found = trainer(tmp_path, 1).test(identity(), DataLoader(rows, batch_size=2), verbose=False)[0]
    assert found["test/rmse"] == pytest.approx(math.sqrt(3))
    assert found["test/r2"] == pytest.approx(1 - 9 / 14)


def test_a_single_row_has_no_r2(tmp_path):
    rows = TensorDataset(torch.tensor([[1.0]]), torch.tensor([3.0]))
    assert trainer(tmp_path, 1).test(identity(), DataLoader(rows), verbose=False)[0] == {"test/rmse": 2.0}


def test_wrong_shapes_are_named():
    with pytest.raises(UserError, match=r"the inputs are \[3\] but LinearRegression was built for \[4\]"):
        LinearRegression([4]).training_step((torch.rand(2, 3), torch.rand(2)), 0)
    with pytest.raises(UserError, match=r"the targets are \[2, 1\]; LinearRegression needs one number per row"):
        LinearRegression([4]).training_step((torch.rand(2, 4), torch.rand(2, 1)), 0)


def test_a_rate_that_is_too_high_ends_in_one_line(tmp_path):
    module = LinearRegression([10], optimizer=lambda p: torch.optim.SGD(p, lr=100.0))
    with pytest.raises(UserError, match=r"train/loss is .* lower the learning rate"):
        trainer(tmp_path, 20).fit(module, DiabetesDataModule())


@pytest.mark.learning
def test_it_finds_the_least_squares(tmp_path):
    """Beside the closed form on the same rows; predicting the mean has an r2 of 0."""
    pl.seed_everything(0)
    data = DiabetesDataModule(batch_size=283)
    module = LinearRegression([10], optimizer=lambda p: torch.optim.SGD(p, lr=0.1))
    training = trainer(tmp_path, 200)
    training.fit(module, data)
    found = training.test(module, data, verbose=False)[0]
    assert found["test/r2"] > 0.4
    closed = LeastSquares().fit(data.train_set.x.numpy(), data.train_set.y.numpy())
    expected = closed.predict(data.test_set.x.numpy())
    with torch.no_grad():
        assert np.abs(module.cpu()(data.test_set.x).numpy() - expected).mean() < 2  # of targets from 25 to 346
