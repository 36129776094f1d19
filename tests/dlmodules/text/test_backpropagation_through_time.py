"""Backpropagation through time by hand, beside autograd and beside what the book's programs print."""

import math

import pytest
import torch

from datamodules.text.bit_counts import book_sequence
from dlmodules.text.backpropagation_through_time import gradients, states


def test_states_by_hand():
    """(1, 0, 1) with u = 2 and w = 3: 2, then 6, then 18 + 2."""
    assert states(torch.tensor([[1.0, 0.0, 1.0]]), 2.0, 3.0).tolist() == [[0, 2, 6, 20]]


def test_gradients_by_hand():
    """s_T = u (w**2 + 1) for (1, 0, 1): by u it changes by w**2 + 1 = 10, by w by 2 u w = 12; the error is 20 - 2."""
    found = gradients(torch.tensor([[1.0, 0.0, 1.0]]), torch.tensor([2.0]), 2.0, 3.0)
    assert [value.item() for value in found] == [18**2, 2 * 18 * 10, 2 * 18 * 12]


@pytest.mark.parametrize(("u", "w"), [(-2.0, 0.0), (1.0, 1.0), (0.5, -0.9), (0.3, 1.2)])
def test_gradients_are_those_of_autograd(u, w):
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(8, 15, generator=draw, dtype=torch.float64)
    y = x.sum(1) + 1
    weights = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (u, w)]
    loss = (states(x, *weights)[:, -1] - y).square().mean()
    expected = torch.autograd.grad(loss, weights)
    found = gradients(x, y, u, w)
    assert found.loss.item() == pytest.approx(loss.item(), rel=1e-12)
    assert [found.u.item(), found.w.item()] == pytest.approx([value.item() for value in expected], rel=1e-12)


def descend(name, epochs=150, rate=0.0005):
    """Train on a sequence of the book from its start; return all losses and the last weights."""
    x, y = (tensor.double() for tensor in book_sequence(name))
    u, w, losses = torch.tensor(-2.0).double(), torch.tensor(0.0).double(), []
    for _ in range(epochs):
        found = gradients(x, y, u, w)
        losses.append(found.loss.item())
        u, w = u - rate * found.u, w - rate * found.w
    return losses, u.item(), w.item()


def test_the_books_sequence_is_fitted_without_counting():
    losses, u, w = descend("ten")
    assert losses[0] == 9
    assert losses[-1] == pytest.approx(0.0011, abs=5e-5)
    assert (u, w) == pytest.approx((-2.089, -0.753), abs=5e-4)
    assert descend("ten", 3000)[1:] == pytest.approx((-2.0892, -0.7562), abs=5e-5)


def test_forty_bits_blow_up():
    losses, u, w = descend("forty")
    assert losses[23] == pytest.approx(37.9, abs=0.05)
    assert losses[24] > 1e5
    assert losses[26] == math.inf
    assert all(map(math.isnan, [*losses[27:], u, w]))


def test_the_printed_forty_one_bits_do_not():
    losses, _, w = descend("forty_one")
    assert max(losses) == losses[0] == 144
    assert losses[24] == pytest.approx(77, abs=0.5)
    assert losses[149] == pytest.approx(43.1, abs=0.05)
    assert w == pytest.approx(-0.835, abs=5e-4)


@pytest.mark.parametrize(("w", "steps", "factor"), [(1.5, 50, 6.38e8), (0.6, 20, 3.66e-5)])
def test_the_gradient_of_an_early_input_has_a_power_of_the_weight_as_factor(w, steps, factor):
    """vasilev 7.5, where 1.5 to the power of 50 is printed as 1.550."""
    x = torch.zeros(1, steps + 1, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(states(x, 1.0, w)[0, -1], x)
    assert gradient[0].tolist() == pytest.approx([w**m for m in range(steps, -1, -1)], rel=1e-12)
    assert gradient[0, 0].item() == pytest.approx(factor, rel=2e-3)
