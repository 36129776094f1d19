"""Changed frames and what the driver would have done: mirrored, moved, turned, in another light."""

import pytest
import torch

from datamodules.driving.augmentation import SteeredAugmentation
from dlmodules.errors import UserError


def frames(n=64, height=10, width=20):
    return torch.rand(n, 3, height, width, generator=torch.Generator().manual_seed(0))


def test_a_mirrored_frame_has_the_opposite_steering():
    torch.manual_seed(0)
    x, y = frames(), torch.linspace(-1.0, 1.0, 64)
    changed, steering = SteeredAugmentation()(x, y)
    mirrored = (changed == x.flip(3)).flatten(1).all(dim=1)
    same = (changed == x).flatten(1).all(dim=1)
    assert (mirrored ^ same).all()
    assert 16 < int(mirrored.sum()) < 48
    assert torch.equal(steering[mirrored], -y[mirrored])
    assert torch.equal(steering[same], y[same])


def test_without_a_change_nothing_changes():
    x, y = frames(), torch.zeros(64)
    changed, steering = SteeredAugmentation(mirror=False)(x, y)
    assert changed is x
    assert steering is y


def test_the_light_changes_and_the_steering_stays():
    torch.manual_seed(0)
    x, y = frames(), torch.zeros(64)
    changed, steering = SteeredAugmentation(mirror=False, brightness=0.5)(x, y)
    assert torch.equal(steering, y)
    assert (changed >= 0).all()
    assert (changed <= 1).all()
    factors = (changed / x).amin(dim=(1, 2, 3))
    assert 0.5 <= factors.min() < 0.6
    assert 1.4 < (changed / x).amax() <= 1.5


def test_a_turned_frame_is_shifted_as_a_whole():
    """A tenth of 20 columns are two; what is right of the car is reached by more steering to the right."""
    made = SteeredAugmentation(mirror=False, turn=0.1)
    x, turn, none = frames(1), torch.tensor([0.1]), torch.zeros(1)
    moved = made.seen_from(x, turn, none, none)
    assert torch.allclose(moved[:, :, :, 2:], x[:, :, :, :-2], atol=1e-5)
    assert torch.allclose(moved[:, :, :, :2], x[:, :, :, :1].expand(-1, -1, -1, 2), atol=1e-5)


def test_a_moved_frame_is_sheared_about_the_horizon():
    """The bottom moves by all of it; what is half way up to the horizon, in the middle of the frame, by half."""
    made = SteeredAugmentation(mirror=False, move=0.4, horizon=0.0)
    x = torch.arange(20.0).expand(1, 3, 10, 20) / 20
    none = torch.zeros(1)
    moved = made.seen_from(x, none, torch.tensor([0.4]), none)
    middles = torch.arange(10) + 0.5
    expected = 10.0 - 0.4 * 20 * middles / 10
    assert torch.allclose(moved[0, 0, :, 10] * 20, expected, atol=1e-3)


def test_a_lifted_frame_goes_down():
    x, none = frames(1), torch.zeros(1)
    moved = SteeredAugmentation().seen_from(x, none, none, torch.tensor([0.2]))
    assert torch.allclose(moved[:, :, 2:], x[:, :, :-2], atol=1e-5)


@pytest.mark.parametrize(("turn", "move"), [(0.2, 0.0), (0.0, 0.2)])
def test_the_driver_steers_to_where_the_road_is_now(turn, move):
    """A bright column in the middle has moved as far as its steering says, and to that side."""
    torch.manual_seed(0)
    made = SteeredAugmentation(mirror=False, turn=turn, turn_steering=2.0, move=move, move_steering=2.0, horizon=0.0)
    x = torch.zeros(32, 3, 200, 201)
    x[:, :, :, 100] = 1.0
    changed, steering = made(x, torch.zeros(32))
    places = changed[:, 0, -1].argmax(dim=1)
    assert torch.allclose((places - 100) / 201, steering / 2, atol=0.006)
    assert steering.min() < -0.2
    assert steering.max() > 0.2
    _, clamped = made(x, torch.full((32,), 0.99))
    assert clamped.max() == 1.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"brightness": 1.5}, r"brightness is 1.5; it must lie in \[0, 1\]"),
        ({"turn": -0.1}, "turn is -0.1"),
        ({"horizon": 1.0}, r"horizon is 1.0; it must be a part of the height in \[0, 1\)"),
    ],
)
def test_numbers_out_of_range_are_named(arguments, words):
    with pytest.raises(UserError, match=words):
        SteeredAugmentation(**arguments)
