import numpy as np
import pytest
import torch

from datamodules import RingDataModule, TinsDataModule
from datamodules.images.tins import draw_tins
from dlmodules.errors import UserError


def test_a_tin_is_as_wide_and_tall_as_it_says():
    image = draw_tins(torch.tensor([[0.5, 0.25]]), 64)[0, 0]
    on = image > 128
    assert on.any(0).sum().item() == pytest.approx(0.5 * 64, abs=1)
    column = image[:, 32]  # the lid and the bottom bend by an eighth of the width
    assert (column > 0).sum().item() == pytest.approx((0.25 + 0.125) * 64, abs=3)
    assert image[:, :15].max() == 0
    assert image[:, 49:].max() == 0


def test_wider_and_taller_are_different_directions():
    wide, tall = draw_tins(torch.tensor([[0.7, 0.3], [0.3, 0.7]]), 32)[:, 0].bool()
    assert wide.any(0).sum() > tall.any(0).sum()
    assert wide.any(1).sum() < tall.any(1).sum()


def test_the_tins_are_split_and_the_same_for_every_seed():
    data = TinsDataModule(seed=3)
    data.setup("fit")
    data.setup("test")
    assert (len(data.train_set), len(data.val_set), len(data.test_set)) == (1800, 200, 400)
    assert torch.equal(data.load(train=False)[0], TinsDataModule(seed=4).load(train=False)[0])
    heights = data.factors(train=True)[:, 1]
    labels = data.load(train=True)[1]
    assert heights[labels == 0].max() < heights[labels == 1].min() < heights[labels == 2].min()
    with pytest.raises(UserError, match="image_size"):
        TinsDataModule(image_size=4)


def test_the_ring():
    data = RingDataModule(val_size=0, test_size=0)
    data.setup("fit")
    x, y = data.train_set.x.numpy(), data.train_set.y.numpy()
    radius = np.linalg.norm(x, axis=1)
    # The radius of z is Rayleigh-distributed, with a mean of sqrt(pi / 2).
    assert radius.min() >= 1
    assert radius.mean() == pytest.approx(1 + np.sqrt(np.pi / 2) / 10, abs=0.005)
    assert ((x[:, 0] > 0) & (x[:, 1] > 0))[y == 0].all()
    assert ((x[:, 0] < 0) & (x[:, 1] < 0))[y == 2].all()
