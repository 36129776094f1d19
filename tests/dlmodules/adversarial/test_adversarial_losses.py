"""The adversarial losses against values computed by hand."""

import math

import pytest
import torch

from dlmodules.adversarial.losses import LOSSES, discriminator_accuracy

# A logit of log 4 is a probability of 0.8, its negative one of 0.2.
HIGH, LOW = torch.tensor([math.log(4.0)]), torch.tensor([-math.log(4.0)])


def test_cross_entropy_averages_both_halves():
    loss = LOSSES["non_saturating"]
    assert loss.discriminator(HIGH, LOW).item() == pytest.approx(-math.log(0.8), abs=1e-6)
    assert loss.discriminator(LOW, HIGH).item() == pytest.approx(-math.log(0.2), abs=1e-6)
    assert loss.discriminator(torch.zeros(5), torch.zeros(5)).item() == pytest.approx(math.log(2.0), abs=1e-6)
    assert loss.discriminator(torch.zeros(5), LOW).item() == pytest.approx(
        (math.log(2.0) - math.log(0.8)) / 2, abs=1e-6
    )


def test_the_non_saturating_generator_keeps_its_gradient_and_that_of_minimax_vanishes():
    assert LOSSES["non_saturating"].generator(HIGH).item() == pytest.approx(-math.log(0.8), abs=1e-6)
    assert LOSSES["minimax"].generator(HIGH).item() == pytest.approx(math.log(0.2), abs=1e-6)
    slopes = {}
    for name in ("non_saturating", "minimax"):
        logit = torch.tensor([-20.0], requires_grad=True)
        LOSSES[name].generator(logit).backward()
        slopes[name] = logit.grad.item()
    assert slopes["non_saturating"] == pytest.approx(-1.0, abs=1e-6)
    assert slopes["minimax"] == pytest.approx(0.0, abs=1e-6)
    # In a game of zero sum the generator's loss is minus its share of the discriminator's.
    assert LOSSES["minimax"].generator(HIGH).item() == -LOSSES["minimax"].fake(HIGH).item()


def test_least_squares():
    loss = LOSSES["least_squares"]
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([0.5, -1.0])
    assert loss.discriminator(real, fake).item() == pytest.approx(0.5 * ((0 + 4) / 2 + (0.25 + 1) / 2))
    assert loss.generator(fake).item() == pytest.approx((0.25 + 4) / 2)
    half = torch.full((4,), 0.5)
    assert loss.discriminator(half, half).item() == pytest.approx(0.25)


def test_the_critic_is_asked_to_raise_real_and_lower_fake_images():
    loss = LOSSES["wasserstein"]
    real, fake = torch.tensor([2.0, 4.0]), torch.tensor([-1.0, 2.0])
    assert loss.discriminator(real, fake).item() == pytest.approx(-3.0 + 0.5)
    assert loss.generator(fake).item() == pytest.approx(-0.5)


def test_hinge_asks_for_no_more_than_a_margin_of_one():
    loss = LOSSES["hinge"]
    real, fake = torch.tensor([0.25, 7.0]), torch.tensor([-9.0, 0.5])
    assert loss.discriminator(real, fake).item() == pytest.approx(0.75 / 2 + 1.5 / 2)
    assert loss.generator(fake).item() == pytest.approx(8.5 / 2)


@pytest.mark.parametrize("name", LOSSES)
def test_each_pair_of_losses_wants_the_opposite_of_fake_images(name):
    """The discriminator's loss rises with a fake image's output and falls with a real one's; the generator's falls."""
    loss = LOSSES[name]
    outputs = torch.tensor([0.3], requires_grad=True)
    slope = lambda function: torch.autograd.grad(function(outputs), outputs)[0].item()  # noqa: E731
    assert slope(loss.fake) > 0
    assert slope(loss.real) < 0
    assert slope(loss.generator) < 0


def test_accuracy_of_the_discriminator():
    real, fake = torch.tensor([1.0, -1.0]), torch.tensor([-3.0, -2.0])
    assert discriminator_accuracy(real, fake, 0.0).item() == pytest.approx(0.75)
    assert discriminator_accuracy(real, fake, 2.0).item() == pytest.approx(0.5)
