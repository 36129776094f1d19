import numpy as np
import pytest
import torch

from callbacks.base.captions import captioned_grid, displayable


def test_tiles_and_captions_are_where_they_should_be():
    images = torch.stack([torch.zeros(1, 4, 4), torch.full((1, 4, 4), 0.5), torch.ones(1, 4, 4)])
    picture = captioned_grid(images, ["a\nb", "", "c"], columns=2, pad=8, min_tile=40)
    below = 4 + 2 * 17
    assert picture.shape == (2 * (40 + below + 8) + 8, 2 * 48 + 8)
    assert (picture[8:48, 8:48] == 0).all()
    assert (picture[8:48, 56:96] == 128).all()
    assert picture[48 : 48 + below, 8:48].min() < 100  # its caption
    assert (picture[48 : 48 + below, 56:96] == 255).all()  # has none
    assert picture[48 + below + 8 + 40 :, 8:48].min() < 100
    assert (picture[:8] == 255).all()


def test_colour_stays_colour():
    picture = captioned_grid(torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1), ["x"], min_tile=10)
    assert (picture[8:18, 8:18] == np.array([255, 0, 0])).all()


def test_a_long_caption_does_not_leave_its_tile():
    images = torch.zeros(2, 1, 4, 4)
    picture = captioned_grid(images, ["", "m" * 200], columns=2, pad=8, min_tile=80)
    assert (picture[90:, :88] == 255).all()
    assert picture[90:, 88:].min() < 100


def test_one_caption_an_image():
    for images, captions in ((torch.zeros(2, 1, 4, 4), ["a"]), (torch.zeros(0, 1, 4, 4), [])):
        with pytest.raises(ValueError, match="a grid needs one an image"):
            captioned_grid(images, captions)


def test_what_is_displayable():
    inside = torch.rand(2, 3, 4, 4)
    assert torch.equal(displayable(inside), inside)
    standardized = torch.tensor([-2.0, 0.0, 2.0, 1.0]).view(1, 1, 2, 2)
    assert displayable(standardized).flatten().tolist() == [0.0, 0.5, 1.0, 0.75]
    assert displayable(torch.rand(2, 5, 4, 4)).shape == (2, 1, 4, 4)
    assert displayable(torch.full((1, 1, 2, 2), 3.0)).tolist() == torch.zeros(1, 1, 2, 2).tolist()
