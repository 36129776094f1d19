"""Drawn roads in colour: that they are as they are asked for, and that their steering is there to be seen."""

import pytest
import torch

from datamodules import RoadFramesDataModule
from dlmodules.errors import UserError


def ready(**arguments):
    data = RoadFramesDataModule(**{"num_frames": 60, "val_size": 20, "test_size": 20, **arguments})
    data.setup("fit")
    data.setup("test")
    return data


def test_batches_and_sizes():
    data = ready(height=24, width=40, batch_size=16)
    assert [len(part) for part in (data.train_set, data.val_set, data.test_set)] == [60, 20, 20]
    x, y = next(iter(data.train_dataloader()))
    assert (x.shape, y.shape, x.dtype, y.dtype) == ((16, 3, 24, 40), (16,), torch.float32, torch.float32)
    assert 0 <= x.min() <= x.max() <= 1
    assert -1 <= y.min() <= y.max() <= 1


def test_validation_and_test_are_the_same_for_every_seed_and_the_training_is_not():
    one, other, again = ready(), ready(seed=1), ready()
    assert torch.equal(one.test_set.frames, other.test_set.frames)
    assert torch.equal(one.val_set.steering, other.val_set.steering)
    assert torch.equal(one.train_set.frames, again.train_set.frames)
    assert not torch.equal(one.train_set.frames, other.train_set.frames)
    assert not torch.equal(one.val_set.steering, one.test_set.steering)


def test_the_sky_is_above_and_the_middle_of_the_road_yellow():
    frames = ready().test_set.frames.float() / 255
    assert torch.allclose(frames[:, :, 0], torch.tensor([0.6, 0.75, 0.95]).view(1, 3, 1), atol=0.01)
    yellow = (frames[:, 0] > 0.5) & (frames[:, 2] < 0.6 * frames[:, 0])
    assert (yellow[:, 60:].flatten(1).sum(dim=1) > 20).float().mean() > 0.7


@pytest.mark.parametrize("arguments", [{"num_frames": 0}, {"val_size": -1}, {"height": 8}])
def test_numbers_out_of_range_are_named(arguments):
    (name,) = arguments
    with pytest.raises(UserError, match=f"{name} is"):
        RoadFramesDataModule(**arguments)
