"""The box that is wired by hand, and that the network learns it."""

import pytest
import pytorch_lightning as pl
import torch

from datamodules import BoxDataModule
from dlmodules import MLPRegression
from dlmodules.errors import UserError
from dlmodules.regression.mlp import wire_box
from tests.quiet import quiet_trainer


def test_parameter_count():
    assert sum(p.numel() for p in MLPRegression().parameters()) == 7


def test_the_wired_network_is_the_book_s_box():
    module = MLPRegression()
    wire_box(module)
    x = torch.tensor([[-10.0], [-5.01], [-4.99], [0.0], [4.99], [5.01], [9.99]])
    assert module(x).tolist() == pytest.approx([0, 0, 7, 7, 7, 0, 0], abs=1e-3)
    # At the ends a unit is halfway up.
    assert module(torch.tensor([[-5.0], [5.0]])).tolist() == pytest.approx([3.5, 3.5], abs=1e-3)


def test_the_box_can_be_moved_and_its_sides_made_less_steep():
    module = MLPRegression()
    wire_box(module, left=0.0, right=2.0, height=-3.0, steepness=1.0)
    x = 1.0
    expected = -3.0 * (torch.sigmoid(torch.tensor(x)) - torch.sigmoid(torch.tensor(x - 2.0)))
    assert module(torch.tensor([[x]])).item() == pytest.approx(expected.item())


@pytest.mark.parametrize(
    "module", [MLPRegression(hidden_dims=[3]), MLPRegression([2]), MLPRegression(activation="relu")]
)
def test_another_network_is_not_wired(module):
    with pytest.raises(UserError, match="one input, two logistic units and one output"):
        wire_box(module)


def test_the_points_of_the_box():
    data = BoxDataModule(left=-1.0, right=2.0, height=4.0, val_size=0, test_size=0)
    data.setup("fit")
    assert len(data.train_set) == 2000
    x, y = data.train_set.x[:, 0], data.train_set.y
    assert (x.min().item(), x.max().item()) == (pytest.approx(-10.0), pytest.approx(9.99))
    assert torch.equal(y == 4.0, (x > -1.0 + 1e-4) & (x < 2.0 - 1e-4))
    assert set(y.tolist()) == {0.0, 4.0}


def test_a_box_outside_the_points_is_refused():
    with pytest.raises(UserError, match=r"left is 3.0 and right is 2.0"):
        BoxDataModule(left=3.0, right=2.0)


@pytest.mark.learning
def test_it_learns_the_box(tmp_path):
    pl.seed_everything(0)
    trainer = quiet_trainer(max_epochs=60, default_root_dir=tmp_path)
    module = MLPRegression(optimizer=lambda p: torch.optim.Adam(p, lr=0.05))
    data = BoxDataModule()
    trainer.fit(module, data)
    assert trainer.test(module, data, verbose=False)[0]["test/r2"] > 0.9
