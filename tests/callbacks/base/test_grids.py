import numpy as np
import pytest
import torch

from callbacks.base.grids import image_grid, to_uint8


def test_pixels_are_rounded_clipped_and_never_garbage():
    x = torch.tensor([0.0, 0.5, 1.0, -3.0, 7.0, float("nan")]).view(1, 1, 2, 3)
    assert to_uint8(x)[0, :, :, 0].tolist() == [[0, 128, 255], [0, 255, 0]]


def test_tiles_lie_row_by_row_on_white():
    x = torch.tensor([0.0, 0.2, 0.4]).view(3, 1, 1, 1)
    grid = image_grid(x, columns=2, pad=1, min_tile=0)
    w = 255
    assert grid.tolist() == [
        [w, w, w, w, w],
        [w, 0, w, 51, w],
        [w, w, w, w, w],
        [w, 102, w, w, w],
        [w, w, w, w, w],
    ]
    assert grid.dtype == np.uint8


def test_small_images_grow_by_a_whole_factor():
    x = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).view(1, 1, 2, 2)
    grid = image_grid(x, pad=0, min_tile=5)  # 2 pixels need a factor of 3
    assert grid.shape == (6, 6)
    assert (grid[:3, :3] == 0).all()
    assert (grid[:3, 3:] == 255).all()
    assert image_grid(torch.zeros(1, 1, 64, 100), pad=0).shape == (64, 100)


@pytest.mark.parametrize(("n", "shape"), [(1, (64, 64)), (5, (128, 192)), (64, (512, 512))])
def test_grid_is_about_square(n, shape):
    assert image_grid(torch.zeros(n, 1, 64, 64), pad=0).shape == shape


def test_colour_stays_colour():
    x = torch.tensor([1.0, 0.0, 0.2]).view(1, 3, 1, 1)
    assert image_grid(x, pad=0, min_tile=0).tolist() == [[[255, 0, 51]]]


def test_row_labels_stand_left_of_their_rows():
    x = torch.full((2, 1, 64, 64), 0.5)
    plain = image_grid(x, columns=1)
    labelled = image_grid(x, columns=1, row_labels=["", "output"])
    margin = labelled.shape[1] - plain.shape[1]
    assert margin > 20
    assert (labelled[:, margin:] == plain).all()
    half = labelled.shape[0] // 2
    assert (labelled[:half, :margin] == 255).all()
    assert (labelled[half:, :margin] < 100).any()
    assert image_grid(torch.zeros(2, 3, 9, 9), columns=1, row_labels=["a", "b"]).shape[2] == 3


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="at least one image"):
        image_grid(torch.zeros(0, 1, 8, 8))
    with pytest.raises(ValueError, match=r"\(N, 1 or 3, H, W\)"):
        image_grid(torch.zeros(1, 2, 8, 8))
    with pytest.raises(ValueError, match="1 row labels for 2 rows"):
        image_grid(torch.zeros(2, 1, 8, 8), columns=1, row_labels=["a"])
