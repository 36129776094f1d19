"""Roads as ALVINN sees them: their rows, what differs between the sets, and that what is to be seen is there."""

import pytest
import torch

from datamodules import SyntheticRoadsDataModule
from datamodules.driving.drawn_roads import DrawnRoads
from datamodules.driving.retina import CAMERA, SCANNER
from datamodules.driving.scenery import FARTHEST, Scenery
from dlmodules.errors import UserError


def ready(**arguments):
    data = SyntheticRoadsDataModule(**{"num_images": 80, "val_size": 20, "test_size": 20, **arguments})
    data.setup("fit")
    data.setup("test")
    return data


def scenery(**changed):
    """A road of two metres to either side, 0.8 on 0.2, without noise, shadow, bank and post."""
    plain = {
        "half_width": 2.0, "road": 0.8, "ground": 0.2, "light": 1.0, "noise": 0.0, "shade": 1.0, "shadow": 0.0,
        "period": 1000.0, "phase": 500.0, "bank": 100.0, "bank_height": 0.0,
    }  # fmt: skip
    return Scenery(**{name: torch.tensor([float(value)]) for name, value in {**plain, **changed}.items()})


def straight(offset=0.0):
    roads = DrawnRoads.drawn(1, torch.Generator().manual_seed(0)).roads
    return type(roads)(torch.tensor([offset]), torch.zeros(1), torch.zeros(1))


def looked(what, **changed):
    made = scenery(**changed)
    camera = SCANNER if what == "proximity" else CAMERA
    return getattr(made, what)(straight(), camera, torch.Generator().manual_seed(0))[0]


def test_rows_and_sets():
    data = ready()
    assert [len(part) for part in (data.train_set, data.val_set, data.test_set)] == [80, 20, 20]
    x, y = next(iter(data.train_dataloader()))
    assert (x.shape, y.shape, x.dtype, y.dtype) == ((8, 1217), (8, 2), torch.float32, torch.float32)
    x, y = data.train_set.fields
    assert 0 <= x.min() <= x.max() <= 1
    assert -1 <= y[:, 0].min() <= y[:, 0].max() <= 1
    assert set(y[:, 1].tolist()) == {0.0, 1.0}


def test_of_novel_roads_nothing_is_known():
    data = ready()
    before = data.train_set.fields[0][:, -1]
    assert set(before.tolist()) == {0.0, 0.5, 1.0}
    known = before != 0.5
    assert torch.equal(before[known], data.train_set.fields[1][known, 1])
    assert 20 < int(known.sum()) < 60
    for part in (data.val_set, data.test_set):
        assert set(part.fields[0][:, -1].tolist()) == {0.5}
    assert set(ready(known=0.0).train_set.fields[0][:, -1].tolist()) == {0.5}


def test_validation_and_test_are_the_same_for_every_seed_and_the_training_is_not():
    one, other, again = ready(), ready(seed=1), ready()
    for name in ("val_set", "test_set"):
        assert torch.equal(getattr(one, name).fields[0], getattr(other, name).fields[0])
    assert torch.equal(one.train_set.fields[0], again.train_set.fields[0])
    assert not torch.equal(one.train_set.fields[1], other.train_set.fields[1])
    assert not torch.equal(one.val_set.fields[1], one.test_set.fields[1])


def test_a_driver_keeps_to_the_middle_and_is_not_tested():
    """He steers along the road, by half of what the car can at most, and some of its bends are that sharp."""
    one, driven = ready(), ready(driver=True)
    steering = driven.train_set.fields[1][:, 0]
    assert steering.abs().max() < 0.6
    assert steering.abs().max() > 0.4
    assert one.train_set.fields[1][:, 0].abs().max() > 0.9
    for name in ("val_set", "test_set"):
        assert torch.equal(getattr(one, name).fields[0], getattr(driven, name).fields[0])


def test_training_rows_are_moved_anew_in_every_epoch_and_the_same_for_the_same_seed():
    def steerings(**arguments):
        loader = ready(driver=True, batch_size=80, **arguments).train_dataloader()
        return [batch[1][:, 0].sort().values for batch in (*loader, *loader)]

    plain, moved, again = steerings(), steerings(shift=1.5, turn=20.0), steerings(shift=1.5, turn=20.0)
    assert torch.equal(*plain)
    assert not torch.equal(*moved)
    assert torch.equal(moved[0], again[0])
    assert plain[0].abs().max() < 0.6 < moved[0].abs().max()
    x, _ = next(iter(ready(driver=True, mirror=True).train_dataloader()))
    assert x.shape == (8, 1217)


def test_the_road_is_as_wide_as_it_is_and_has_its_intensity():
    blue = looked("blue")
    right, _, _ = CAMERA.ground
    assert torch.allclose(blue[right.abs() < 1.9], torch.tensor(0.8))
    assert torch.allclose(blue[right.abs() > 2.1], torch.tensor(0.2))
    dimmed = looked("blue", light=0.5)
    assert torch.allclose(dimmed, blue / 2)
    assert looked("blue", noise=0.1).sub(blue)[right.abs() < 1.9].std().item() == pytest.approx(0.1, rel=0.15)


def test_a_shadow_lies_across_the_road():
    _, ahead, _ = CAMERA.ground
    blue = looked("blue", shade=0.5, shadow=4.0, period=100.0, phase=90.0)  # from ten to fourteen metres ahead
    inside = (ahead > 10) & (ahead < 14)
    plain = looked("blue")
    assert torch.allclose(blue[inside], plain[inside] / 2)
    assert torch.equal(blue[~inside & (ahead < 60)], plain[~inside & (ahead < 60)])


def test_the_range_finder_sees_flat_ground_banks_and_posts():
    flat = looked("proximity")
    right, ahead, down = SCANNER.rays
    distance = SCANNER.height / down * torch.sqrt(torch.ones(()))
    near = distance < FARTHEST
    assert (flat[near] - (1 - distance[near] / FARTHEST)).abs().max() < 0.15
    bank = looked("proximity", bank=3.0, bank_height=1.0)
    hit = right / ahead > 0.4
    assert (bank - flat)[hit].mean() > 0.02
    # A post stands a metre behind the foot of the bank, ten metres ahead.
    post = looked("proximity", bank=2.5, period=100.0, phase=90.0)
    assert (post - flat).max() > 0.3


@pytest.mark.parametrize(
    "arguments", [{"num_images": 0}, {"val_size": -1}, {"known": 1.5}, {"shift": -0.1}, {"turn": 90.0}]
)
def test_numbers_out_of_range_are_named(arguments):
    (name,) = arguments
    with pytest.raises(UserError, match=f"{name} is"):
        SyntheticRoadsDataModule(**arguments)
