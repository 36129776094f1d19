"""Distances of discrete distributions against values worked out by hand."""

import math

import pytest
import torch

from dlmodules.adversarial.distances import (
    discriminator_loss,
    earth_movers_distance,
    js_divergence,
    kl_divergence,
    optimal_discriminator,
    optimal_discriminator_loss,
)
from dlmodules.errors import UserError

HALVES, QUARTER = torch.tensor([0.5, 0.5]), torch.tensor([0.25, 0.75])
LEFT, RIGHT = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
INFINITY = float("inf")


def test_kl_by_hand_and_both_ways_round():
    assert kl_divergence(HALVES, QUARTER).item() == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(2 / 3))
    assert kl_divergence(QUARTER, HALVES).item() == pytest.approx(0.25 * math.log(0.5) + 0.75 * math.log(1.5))
    assert kl_divergence(QUARTER, QUARTER).item() == 0


def test_kl_is_infinite_only_where_the_second_lacks_what_the_first_has():
    assert kl_divergence(HALVES, LEFT).item() == INFINITY
    assert kl_divergence(LEFT, HALVES).item() == pytest.approx(math.log(2))
    gone = torch.tensor([0.5, 0.5, 0.0])
    assert kl_divergence(gone, gone).item() == 0


def test_js_by_hand():
    # The mixture is [3/8, 5/8].
    from_halves = 0.5 * math.log(4 / 3) + 0.5 * math.log(4 / 5)
    from_quarter = 0.25 * math.log(2 / 3) + 0.75 * math.log(6 / 5)
    assert js_divergence(HALVES, QUARTER).item() == pytest.approx(0.5 * (from_halves + from_quarter))
    assert js_divergence(QUARTER, HALVES).item() == pytest.approx(js_divergence(HALVES, QUARTER).item())
    pairs = js_divergence(torch.stack([HALVES, LEFT]), torch.stack([HALVES, RIGHT]))
    assert pairs.tolist() == pytest.approx([0, math.log(2)])


def test_a_gradient_is_a_number_where_both_are_zero():
    q = torch.tensor([0.25, 0.75, 0.0], requires_grad=True)
    kl_divergence(torch.tensor([0.5, 0.5, 0.0]), q).backward()
    assert q.grad.tolist() == pytest.approx([-2, -2 / 3, 0])


@pytest.mark.parametrize("theta", [-0.5, 0.1, 0.5, 2.0])
def test_two_places_theta_apart(theta):
    """The book's example: only the distance of the masses still says how far away the other is."""
    positions = torch.tensor([0.0, theta], requires_grad=True)
    assert kl_divergence(LEFT, RIGHT).item() == kl_divergence(RIGHT, LEFT).item() == INFINITY
    assert js_divergence(LEFT, RIGHT).item() == pytest.approx(math.log(2))
    distance = earth_movers_distance(LEFT, RIGHT, positions)
    assert distance.item() == pytest.approx(abs(theta))
    distance.backward()
    assert positions.grad[1].item() == math.copysign(1, theta)
    # The same with the line that both are in the book, y uniform on [0, 1]: five points of each.
    y = torch.linspace(0, 1, 5)
    lines = torch.cat([torch.stack([torch.full((5,), x), y], dim=1) for x in (0.0, theta)])
    masses = LEFT.repeat_interleave(5) / 5, RIGHT.repeat_interleave(5) / 5
    assert earth_movers_distance(*masses, lines).item() == pytest.approx(abs(theta), rel=1e-5)


def test_the_books_earth():
    """Masses .2, .3, .1 and .4 move by .4, .5, .3 and .7 to two places; every other way is longer."""
    cost = torch.tensor([[0.4, 1.0], [1.0, 0.5], [0.3, 1.0], [1.0, 0.7]])
    moved = earth_movers_distance(torch.tensor([0.2, 0.3, 0.1, 0.4]), torch.tensor([0.3, 0.7]), cost=cost)
    assert moved.item() == pytest.approx(0.54)


def test_the_line_agrees_with_the_linear_program():
    generator = torch.Generator().manual_seed(0)
    p, q = torch.softmax(torch.randn(2, 7, generator=generator, dtype=torch.float64), dim=1)
    positions = torch.randn(7, generator=generator, dtype=torch.float64)
    by_sums = earth_movers_distance(p, q, positions).item()
    assert earth_movers_distance(p, q, positions[:, None]).item() == pytest.approx(by_sums)
    assert earth_movers_distance(q, p, positions).item() == pytest.approx(by_sums)
    # A quarter of the mass goes from place 3 to place 1, past place 2: 0.25 * 2.
    by_hand = earth_movers_distance(torch.tensor([0.5, 0.25, 0.25]), torch.tensor([0.75, 0.25, 0.0]), torch.arange(3.0))
    assert by_hand.item() == pytest.approx(0.5)


def test_the_optimal_discriminator():
    assert optimal_discriminator(HALVES, QUARTER).tolist() == pytest.approx([2 / 3, 0.4])
    assert optimal_discriminator(QUARTER, QUARTER).tolist() == [0.5, 0.5]
    assert optimal_discriminator(LEFT, RIGHT).tolist() == [1, 0]
    nowhere = torch.tensor([1.0, 0.0, 0.0])
    assert optimal_discriminator(nowhere, nowhere).tolist() == [0.5, 0.5, 0.5]


def test_its_loss():
    assert optimal_discriminator_loss(QUARTER, QUARTER).item() == pytest.approx(1.386, abs=5e-4)
    assert optimal_discriminator_loss(LEFT, RIGHT).item() == pytest.approx(0, abs=1e-6)
    for p, q in ((HALVES, QUARTER), (LEFT, HALVES), (LEFT, RIGHT)):
        best = optimal_discriminator(p, q)
        loss = discriminator_loss(best, p, q).item()
        assert loss == pytest.approx(optimal_discriminator_loss(p, q).item(), abs=1e-6)
        for other in (0.9 * best + 0.05, 0.5 * torch.ones(2)):
            assert discriminator_loss(other, p, q).item() >= loss


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: kl_divergence(HALVES, torch.ones(3) / 3), "both must have the same places"),
        (lambda: js_divergence(HALVES, 2 * HALVES), "sum to 1"),
        (lambda: kl_divergence(torch.tensor([1.5, -0.5]), HALVES), "0 or more everywhere"),
        (lambda: kl_divergence(torch.tensor([1, 0]), torch.tensor([1, 0])), "a float tensor"),
        (lambda: earth_movers_distance(HALVES, HALVES), "either positions or a cost"),
        (lambda: earth_movers_distance(HALVES, HALVES, torch.zeros(3)), r"positions are \(3,\)"),
        (lambda: earth_movers_distance(HALVES, HALVES, cost=torch.zeros(2, 3)), r"must be \(2, 2\)"),
        (lambda: earth_movers_distance(HALVES[None], HALVES[None], torch.zeros(2)), "one pair"),
    ],
)
def test_mistakes_are_told(call, line):
    with pytest.raises(UserError, match=line):
        call()
