"""Flat roads by hand: where a pixel meets them, where their middle is, and how one steers there."""

import math

import pytest
import torch

from datamodules.driving.drawn_roads import LOOK_AHEAD, MAX_CURVATURE, DrawnRoads, steering_to
from datamodules.driving.road import Arcs, Camera, pursuit


def arcs(offset=0.0, heading=0.0, curvature=0.0):
    return Arcs(*(torch.tensor([float(value)]) for value in (offset, heading, curvature)))


def places(*pairs):
    right, ahead = torch.tensor(pairs).T
    return right[None], ahead[None]


def test_a_straight_road():
    lateral, along = arcs(offset=1.0).locate(*places((0.0, 5.0), (2.0, 7.0), (-1.0, 3.0)))
    assert lateral[0].tolist() == [1.0, 3.0, 0.0]
    assert along[0].tolist() == [5.0, 7.0, 3.0]


def test_a_car_that_looks_to_the_right_has_the_road_on_its_left():
    lateral, along = arcs(heading=math.pi / 6).locate(*places((0.0, 10.0)))
    assert lateral.item() == pytest.approx(5.0, abs=1e-5)
    assert along.item() == pytest.approx(10 * math.cos(math.pi / 6), abs=1e-5)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_quarter_of_a_circle(side):
    """Of twenty metres: its end lies twenty ahead and twenty to the side, and its middle is there too."""
    bend = arcs(curvature=side / 20)
    lateral, along = bend.locate(*places((side * 20.0, 20.0), (side * 20.0, 21.0), (side * 20.0, 0.0)))
    assert lateral[0].tolist() == pytest.approx([0.0, -side, side * 20.0], abs=0.01)
    assert along[0, 0].item() == pytest.approx(10 * math.pi, rel=1e-5)
    right, ahead = bend.ahead(10 * math.pi)
    assert (right.item(), ahead.item()) == pytest.approx((side * 20.0, 20.0), abs=1e-4)


def test_the_middle_of_the_road_has_no_offset():
    draw = torch.Generator().manual_seed(0)
    roads = DrawnRoads.drawn(50, draw).roads
    for distance in (2.0, 15.0):
        lateral, along = roads.locate(*(part.unsqueeze(1) for part in roads.ahead(distance)))
        assert lateral.abs().max() < 1e-4
        assert torch.allclose(along, torch.full_like(along, distance), atol=1e-3)


def test_the_circle_to_a_place():
    """To 10 metres ahead and to the side it is one of 10 metres; to what is straight ahead it is a line."""
    assert pursuit(*(torch.tensor(value) for value in (10.0, 10.0))).item() == pytest.approx(0.1)
    assert pursuit(*(torch.tensor(value) for value in (-10.0, 10.0))).item() == pytest.approx(-0.1)
    assert pursuit(torch.tensor(0.0), torch.tensor(5.0)).item() == 0.0
    assert steering_to(torch.tensor(2.0), torch.tensor(2.0)).item() == 1.0  # too sharp for the car


def test_the_steering_of_drawn_roads_leads_to_their_middle_and_each_is_as_frequent():
    drawn = DrawnRoads.drawn(5000, torch.Generator().manual_seed(0))
    found = pursuit(*drawn.roads.ahead(LOOK_AHEAD)) / MAX_CURVATURE
    assert torch.allclose(found, drawn.steering, atol=1e-5)
    counts = torch.histc(drawn.steering, 10, -1, 1)
    assert counts.min() > 400
    assert sum(len(part.steering) for _, part in drawn.parts()) == 5000


def test_a_camera_looks_down_at_the_ground():
    """The middle of a camera two metres up that looks down by 45 degrees sees what is two metres ahead."""
    right, ahead, meets = Camera(3, 3, height=2.0, pitch=45.0, angle=90.0).ground
    assert (right[1, 1].item(), ahead[1, 1].item()) == pytest.approx((0.0, 2.0), abs=1e-5)
    assert right[1, 2].item() == pytest.approx(2 * math.sqrt(2) * 2 / 3, abs=1e-5)
    assert ahead[0, 1] > ahead[1, 1] > ahead[2, 1]
    assert meets.all()
    _, ahead, meets = Camera(4, 4, height=1.0, pitch=0.0).ground
    assert meets.tolist() == [[False] * 4] * 2 + [[True] * 4] * 2
    assert (ahead[2:] > 0).all()
