"""Closed loops of road: that they close, bend to both sides, and lie before a car as an arc does where they are one."""

import math

import pytest
import torch

from datamodules.driving.loop import SHARPEST, SPACING, Loop, LoopAhead
from datamodules.driving.road import Arcs


def circle(radius=40.0, n=1000):
    """A loop to the right whose points are as far apart as its radius makes them."""
    angle = torch.arange(n) * (2 * math.pi / n)
    points = radius * torch.stack([1 - angle.cos(), angle.sin()], dim=1)
    return Loop(points, torch.stack([angle.sin(), angle.cos()], dim=1))


@pytest.mark.parametrize("seed", range(5))
def test_a_loop_closes_smoothly_and_is_as_long_as_asked_for(seed):
    loop = Loop.drawn(torch.Generator().manual_seed(seed), 200.0, 300.0)
    assert 199 < loop.length < 301
    gaps = (loop.points - loop.points.roll(1, 0)).norm(dim=1)
    assert gaps.min() > 0.98 * SPACING
    assert gaps.max() < 1.02 * SPACING
    assert torch.allclose(loop.tangents.norm(dim=1), torch.ones(len(gaps)), atol=1e-5)
    assert loop.curvature.abs().max() <= SHARPEST
    assert abs(loop.curvature.sum().item() * SPACING) == pytest.approx(2 * math.pi, rel=1e-3)


def test_loops_bend_to_both_sides_and_go_both_ways():
    draw = torch.Generator().manual_seed(0)
    turns = [Loop.drawn(draw).curvature for _ in range(10)]
    assert {bool(turn.sum() > 0) for turn in turns} == {True, False}
    assert any((turn > 0.005).any() and (turn < -0.005).any() for turn in turns)


def test_the_curvature_of_a_circle():
    loop = circle(radius=1000 * SPACING / (2 * math.pi))
    assert torch.allclose(loop.curvature, torch.full((1000,), 2 * math.pi / 250), atol=1e-4)


def test_what_is_near_and_beside_a_place():
    loop = circle(radius=1000 * SPACING / (2 * math.pi))
    place = loop.points[990] + 1.5 * torch.stack([loop.tangents[990, 1], -loop.tangents[990, 0]])
    assert loop.near(place, 980) == 990
    assert loop.near(place, 5) == 990  # around the beginning
    assert loop.beside(place, 990) == pytest.approx(1.5, abs=1e-4)


def test_before_a_car_it_lies_as_an_arc_of_its_curvature():
    radius = 1000 * SPACING / (2 * math.pi)
    ahead = LoopAhead(circle(radius), torch.tensor([1.0, 0.0]), 0.2, 0)
    arcs = Arcs(torch.tensor([1.0]), torch.tensor([0.2]), torch.tensor([1 / radius]))
    right, forward = torch.meshgrid(torch.linspace(-3, 3, 7), torch.linspace(1, 20, 8), indexing="ij")
    found, wanted = (road.locate(right[None], forward[None]) for road in (ahead, arcs))
    assert torch.allclose(found[0], wanted[0], atol=0.02)
    assert torch.allclose(found[1], wanted[1], atol=0.4)  # in a bend, what is inside of it is a little behind
