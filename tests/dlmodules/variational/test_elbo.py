"""The losses against values computed by hand."""

import math

import pytest
import torch

from dlmodules.variational.elbo import (
    active_units,
    bernoulli_nll,
    kl_to_standard_normal,
    reparameterize,
    squared_error,
)


def test_kl_sums_over_latent_dimensions():
    # KL(N(m, s^2) || N(0, 1)) = (s^2 + m^2 - 1 - log s^2) / 2: here (4 + 1 - 1 - log 4) / 2 and (1 + 9 - 1) / 2.
    mean, log_var = torch.tensor([[1.0, 3.0]]), torch.tensor([[math.log(4.0), 0.0]])
    expected = (4.0 - math.log(4.0)) / 2 + 4.5
    assert kl_to_standard_normal(mean, log_var).item() == pytest.approx(expected, abs=1e-6)
    assert kl_to_standard_normal(torch.zeros(2, 5), torch.zeros(2, 5)).tolist() == [0.0, 0.0]


def test_bernoulli_nll_sums_over_pixels():
    # p = 0.8 and 0.5 for targets 1 and 0.25: -log 0.8 and log 2.
    logits = torch.tensor([math.log(4.0), 0.0]).view(1, 1, 1, 2)
    x = torch.tensor([1.0, 0.25]).view(1, 1, 1, 2)
    assert bernoulli_nll(logits, x).tolist() == pytest.approx([-math.log(0.8) + math.log(2.0)], abs=1e-6)


def test_squared_error_sums_over_pixels():
    logits = torch.tensor([math.log(4.0), 0.0]).view(1, 1, 1, 2)
    x = torch.tensor([1.0, 0.25]).view(1, 1, 1, 2)
    assert squared_error(logits, x).tolist() == pytest.approx([0.2**2 + 0.25**2], abs=1e-6)


def test_reparameterize_has_the_posterior_moments_and_passes_gradients():
    mean = torch.full((200_000, 1), 2.0, requires_grad=True)
    log_var = torch.full((200_000, 1), math.log(9.0), requires_grad=True)
    z = reparameterize(mean, log_var, torch.Generator().manual_seed(0))
    assert z.mean().item() == pytest.approx(2.0, abs=0.03)
    assert z.std().item() == pytest.approx(3.0, abs=0.03)
    z.sum().backward()
    assert torch.equal(mean.grad, torch.ones_like(mean))
    # dz/dlog_var = sigma * epsilon / 2 = (z - mean) / 2
    assert torch.allclose(log_var.grad, (z - mean).detach() / 2, atol=1e-5)


def test_active_units_counts_dimensions_whose_mean_varies():
    means = torch.zeros(100, 3)
    means[:, 1] = torch.linspace(-1, 1, 100)
    means[:, 2] = 0.01 * torch.linspace(-1, 1, 100)
    assert active_units(means).item() == 1
