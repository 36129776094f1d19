"""Penalties against critics whose slopes are known."""

import pytest
import torch

from dlmodules.adversarial.penalties import gradient_penalty, r1_penalty


def linear(weight):
    """A critic of slope ``weight`` everywhere."""
    return lambda x: (x.flatten(1) * weight).sum(dim=1)


def squared(x):
    """A critic of slope 2x."""
    return x.flatten(1).square().sum(dim=1)


def test_the_penalty_of_a_linear_critic_is_its_slopes_distance_to_one():
    real, fake = torch.rand(6, 1, 2, 2), torch.rand(6, 1, 2, 2)
    weight = torch.tensor([3.0, 0.0, 4.0, 0.0], requires_grad=True)  # of length 5
    penalty = gradient_penalty(linear(weight), real, fake)
    assert penalty.item() == pytest.approx(16.0, rel=1e-5)
    # d (|w| - 1)^2 / dw = 2 (|w| - 1) w / |w|.
    penalty.backward()
    assert weight.grad.tolist() == pytest.approx([2 * 4 * 0.6, 0.0, 2 * 4 * 0.8, 0.0], rel=1e-5)


def test_the_penalty_is_taken_between_real_and_fake_images():
    """At x the slope is 2|x|; all points between (1, 0) and (3, 0) lie on that line."""
    torch.manual_seed(0)
    real, fake = torch.tensor([[1.0, 0.0]] * 4000), torch.tensor([[3.0, 0.0]] * 4000)
    # E[(2u - 1)^2] for u even on [1, 3]: the integral of (2u - 1)^2 / 2 is (5^3 - 1^3) / 12.
    assert gradient_penalty(squared, real, fake).item() == pytest.approx((125 - 1) / 12, rel=0.03)


def test_r1_is_half_the_squared_slope_at_real_images():
    real = torch.tensor([[1.0, 2.0], [0.0, 3.0]])
    assert r1_penalty(squared, real).item() == pytest.approx(0.5 * (4 * 5 + 4 * 9) / 2)


def test_penalties_are_of_float32_under_mixed_precision():
    layer = torch.nn.Linear(64, 1)
    real, fake = torch.rand(8, 64), torch.rand(8, 64)
    critic = lambda x: layer(x).squeeze(1)  # noqa: E731
    torch.manual_seed(0)
    expected = gradient_penalty(critic, real, fake)
    with torch.autocast("cpu", torch.bfloat16):
        torch.manual_seed(0)
        assert layer(real).dtype == torch.bfloat16
        found = gradient_penalty(critic, real, fake)
        assert r1_penalty(critic, real.bfloat16()).dtype == torch.float32
    assert found.dtype == torch.float32
    assert found.item() == expected.item()


def test_the_images_themselves_get_no_gradient():
    real, fake = torch.rand(4, 3, requires_grad=True), torch.rand(4, 3, requires_grad=True)
    weight = torch.ones(3, requires_grad=True)
    gradient_penalty(lambda x: (x.square() * weight).sum(dim=1), real, fake).backward()
    assert real.grad is None
    assert fake.grad is None
    assert weight.grad is not None
