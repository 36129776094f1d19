"""Pictures from above: where their pixels are, and what is drawn into them."""

import math

import pytest
import torch

from dlmodules.protocols.top_down import VIEW, View


def test_the_picture_looks_ahead():
    right, ahead = View(4, 2.0, behind=2.0).places
    assert right[0].tolist() == [-3.0, -1.0, 1.0, 3.0]
    assert ahead[:, 0].tolist() == [5.0, 3.0, 1.0, -1.0]
    right, ahead = VIEW.places
    assert (right.min(), right.max()) == (-15.75, 15.75)
    assert (ahead.min(), ahead.max()) == (-7.75, 23.75)


def test_a_place_is_in_the_cell_whose_middle_is_nearest():
    view = View(4, 2.0, behind=2.0)
    right, ahead = view.places
    cells = view.cells(right + 0.9, ahead - 0.9)
    assert cells.flatten().tolist() == list(range(16))
    # What is outside is in the cell at the border.
    assert view.cells(torch.tensor([-99.0, 99.0]), torch.tensor([99.0, -99.0])).tolist() == [0, 15]


def test_a_box_covers_its_area_wherever_it_stands_and_however_it_is_turned():
    boxes = torch.tensor([[0.0, 5.0, 0.0, 4.5, 2.0], [3.3, 7.7, 0.7, 4.5, 2.0], [0.0, 5.0, math.pi / 2, 4.5, 2.0]])
    areas = VIEW.boxes(boxes).sum((1, 2)) * VIEW.metres**2
    assert areas.tolist() == pytest.approx([9.0, 9.0, 9.0], rel=0.03)
    upright, _, lying = VIEW.boxes(boxes) > 0.2
    assert (upright.any(1).sum(), upright.any(0).sum()) == (10, 4)  # rows and columns of half a metre
    assert (lying.any(1).sum(), lying.any(0).sum()) == (4, 10)
    assert VIEW.boxes(torch.zeros(5)).max() == 0  # a box without length is none


def test_a_heading_is_positive_to_the_right():
    drawn = VIEW.boxes(torch.tensor([0.0, 0.0, math.pi / 4, 12.0, 1.0]))
    right, ahead = VIEW.places
    assert (drawn * right * ahead).sum() > 0


def test_dots_and_curves():
    right, ahead = VIEW.places
    dots = VIEW.dots(torch.tensor([-5.0, 5.0]), torch.tensor([0.0, 10.0]))
    assert dots.sum() * VIEW.metres**2 == pytest.approx(2 * math.pi * 0.75**2, rel=0.05)
    assert (dots * right).sum() == pytest.approx(0.0, abs=1e-3)
    # A way of ten metres that is two metres wide, with half of a disc at each end.
    way = VIEW.curve(torch.zeros(6), torch.arange(0.0, 11.0, 2.0), 2.0)
    assert way.sum() * VIEW.metres**2 == pytest.approx(2 * 10 + math.pi, rel=0.05)
    assert way[(ahead > 0) & (ahead < 10) & (right.abs() < 0.6)].min() == 1
