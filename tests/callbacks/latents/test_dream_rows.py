from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

from callbacks import DreamRows
from callbacks.latents.dream_rows import dreamt
from dlmodules import MDNRNN, VAE
from dlmodules.errors import UserError
from dlmodules.protocols import LatentSeries
from tests.callbacks.callback_toys import ImageLogger, trainer


def world(encoder: Any = None) -> MDNRNN:
    torch.manual_seed(0)
    return MDNRNN(encoder, latent_dim=2, action_dim=3, hidden_dim=4, reward_input=False)


def loader(module: MDNRNN) -> DataLoader[Any]:
    return DataLoader([module.example_batch(4)], batch_size=None)


def test_a_dream_stands_below_its_episode(tmp_path):
    logger, module = ImageLogger(), world(VAE((1, 8, 8), 2))
    drawing = DreamRows(num=2, frames=3, stride=2, every_n_epochs=1)
    trainer(tmp_path, drawing, logger=logger).fit(module, loader(module), loader(module))
    ((name, picture, _),) = logger.pictures
    assert name == "dreams"
    # Four rows of three images of 8 pixels.
    assert picture.shape[0] >= 4 * 8
    assert picture.shape[1] >= 3 * 8


def test_a_model_that_cannot_see_draws_nothing(tmp_path):
    logger, module = ImageLogger(), world()
    trainer(tmp_path, DreamRows(), logger=logger).fit(module, loader(module), loader(module))
    assert not logger.pictures


def test_a_dream_is_given_the_actions_and_draws_the_rest():
    module = world()
    series = module.example_batch(2)
    first, again, other = (dreamt(module, series, 4, 1.0, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert first.shape == (2, 5, 2)
    assert torch.equal(first[:, 0], series.mean[:, 0])
    assert torch.equal(first, again)
    assert not torch.equal(first[:, 1:], other[:, 1:])
    changed = LatentSeries(series.mean, series.log_var, -series.action, *series[3:])
    assert not torch.equal(first, dreamt(module, changed, 4, 1.0, torch.Generator().manual_seed(0)))


def test_numbers_out_of_range_end_in_one_line():
    for bad in ({"num": 0}, {"frames": 0}, {"stride": 0}, {"temperature": 0.0}):
        with pytest.raises(UserError, match="DreamRows"):
            DreamRows(**bad)
