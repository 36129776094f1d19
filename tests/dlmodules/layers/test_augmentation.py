"""Augmentation of a batch: each image by itself, by the amounts that are said."""

import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.layers.augmentation import RandomAffineAndFlip, RandomShiftAndFlip


def ramp(batch: int, side: int = 10) -> torch.Tensor:
    """Images whose pixel (r, c) is r * side + c."""
    return torch.arange(side * side, dtype=torch.float32).view(1, 1, side, side).expand(batch, -1, -1, -1)


def test_shifts_are_whole_pixels_and_every_image_has_its_own():
    torch.manual_seed(0)
    moved = RandomShiftAndFlip(shift=0.2, horizontal_flip=False)(ramp(500))
    middle = moved[:, 0, 5, 5]
    rows, columns = (middle // 10 - 5).int(), (middle % 10 - 5).int()
    assert set(rows.tolist()) == set(columns.tolist()) == {-2, -1, 0, 1, 2}
    counts = torch.bincount(rows + 2)
    assert counts.min() > 60  # 100 expected of each


def test_the_border_is_repeated_or_black():
    torch.manual_seed(0)
    edge = RandomShiftAndFlip(shift=0.3, horizontal_flip=False)(ramp(50) + 1)
    zero = RandomShiftAndFlip(shift=0.3, horizontal_flip=False, fill="zero")(ramp(50) + 1)
    assert edge.min() == 1
    assert zero.min() == 0


def test_half_of_the_images_are_mirrored():
    torch.manual_seed(0)
    moved = RandomShiftAndFlip(shift=0.0)(ramp(400))
    mirrored = (moved[:, 0, 0, 0] == 9).sum().item()
    assert 160 < mirrored < 240
    assert torch.equal(moved[moved[:, 0, 0, 0] == 9][0], ramp(1)[0].flip(2))


def test_a_rotation_by_nothing_changes_nothing():
    x = torch.rand(4, 3, 8, 12)
    torch.testing.assert_close(RandomAffineAndFlip(degrees=0, shift=0, horizontal_flip=False)(x), x)


def test_turning_keeps_the_middle_and_moves_the_corners():
    torch.manual_seed(0)
    x = torch.zeros(200, 1, 9, 9)
    x[:, :, 4, 4] = 1.0
    turned = RandomAffineAndFlip(degrees=90, shift=0, horizontal_flip=False, fill="zero")(x)
    torch.testing.assert_close(turned[:, 0, 4, 4], torch.ones(200))
    top = torch.zeros(300, 1, 9, 9)
    top[:, :, 0, 4] = 1.0  # the top's middle goes at most to the sides' middles
    turned = RandomAffineAndFlip(degrees=90, shift=0, horizontal_flip=False, fill="zero")(top)
    assert turned[:, 0, 5:].sum() == 0
    assert turned[:, 0, 2:5, 0].sum() > 0
    assert turned[:, 0, 2:5, 8].sum() > 0


def test_slants_keep_the_rows_and_stretches_the_middle():
    torch.manual_seed(0)
    x = torch.zeros(200, 1, 9, 9)
    x[:, :, :, 4] = 1.0  # an upright line
    still = {"degrees": 0, "shift": 0, "horizontal_flip": False, "fill": "zero"}
    slanted = RandomAffineAndFlip(**still, shear=40)(x)
    torch.testing.assert_close(slanted[:, 0, 4], x[:, 0, 4])
    columns = (slanted * torch.arange(9.0)).sum(dim=3) / slanted.sum(dim=3)
    tops, bottoms = columns[:, 0, 0] - 4, columns[:, 0, 8] - 4
    torch.testing.assert_close(tops, -bottoms, atol=1e-4, rtol=0)
    assert 2.5 < tops.max() <= 4 * 0.8391 + 1e-4  # the tangent of 40 degrees, four rows from the middle
    assert tops.min() < -2.5
    block = torch.zeros(200, 1, 24, 24)
    block[:, :, 8:16, 8:16] = 1.0
    sides = RandomAffineAndFlip(**still, stretch=0.5)(block)[:, 0]
    wide, high = sides[:, 12].sum(dim=1), sides[:, :, 12].sum(dim=1)
    assert 8 / 1.5 - 0.5 < wide.min() < 6 < 11 < wide.max() < 12.5
    assert torch.corrcoef(torch.stack([wide, high]))[0, 1].abs() < 0.2


def test_a_warp_is_smooth_and_of_each_image_its_own():
    torch.manual_seed(0)
    place = torch.stack(torch.meshgrid(torch.arange(24.0), torch.arange(24.0), indexing="ij")).expand(100, 2, 24, 24)
    moved = RandomAffineAndFlip(degrees=0, shift=0, horizontal_flip=False, warp=0.1)(place) - place
    inner = moved[:, :, 4:20, 4:20]  # what lies outside the image is read from its border
    assert 2.0 < inner.abs().max() < 4.0  # a tenth of 24 pixels, and what the curve overshoots
    assert (inner[:, :, 1:] - inner[:, :, :-1]).abs().max() < 1.0
    assert inner.std(dim=0).min() > 0.3


def test_a_gradient_flows_to_the_images():
    x = torch.rand(2, 1, 8, 8, requires_grad=True)
    RandomAffineAndFlip(shear=10, stretch=0.1)(x).sum().backward()
    assert x.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: RandomShiftAndFlip(shift=1.5), "fraction"),
        (lambda: RandomAffineAndFlip(degrees=270), "degrees"),
        (lambda: RandomAffineAndFlip(shear=90), "shear"),
        (lambda: RandomAffineAndFlip(stretch=-0.1), "stretch"),
        (lambda: RandomAffineAndFlip(warp=-0.1), "warp"),
        (lambda: RandomShiftAndFlip(fill="mirror"), "edge, zero"),
    ],
)
def test_what_makes_no_sense_is_refused(make, words):
    with pytest.raises(UserError, match=words):
        make()
