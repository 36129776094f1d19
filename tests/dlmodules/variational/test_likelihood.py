"""The estimate of a likelihood, on a linear Gaussian model, whose likelihood is known in closed form.

With z ~ N(0, 1) and x | z ~ N(w z, s^2 I), x is N(0, w w' + s^2 I), and the posterior of z is N(m, v) with
1 / v = 1 + w'w / s^2 and m = v w'x / s^2.
"""

from math import log, pi

import pytest
import torch
from torch.distributions import MultivariateNormal

from dlmodules.variational.likelihood import importance_weighted_log_likelihood

W, S = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64), 0.7
X = torch.tensor([[0.3, -1.0, 0.2], [2.0, 0.0, -1.0]], dtype=torch.float64)


def log_likelihood(z):
    """log N(x; w z, s^2 I) of codes ``(2, 1)`` in nats."""
    return -0.5 * ((X - z * W) / S).square().sum(dim=1) - 1.5 * log(2 * pi * S**2)


def truth():
    covariance = torch.outer(W, W) + S**2 * torch.eye(3, dtype=torch.float64)
    return MultivariateNormal(torch.zeros(3, dtype=torch.float64), covariance).log_prob(X)


def posterior():
    variance = 1 / (1 + W.square().sum() / S**2)
    return (variance * (X @ W) / S**2).unsqueeze(1), variance.log().expand(2, 1)


def test_one_sample_of_the_true_posterior_gives_the_likelihood_itself():
    estimate = importance_weighted_log_likelihood(log_likelihood, *posterior(), samples=1)
    torch.testing.assert_close(estimate, truth())


def test_by_hand_at_one_point():
    """For x = 0, w = (1, 0, 0) and s = 1 the likelihood is N(0; 0, 2) N(0; 0, 1)^2."""
    found = importance_weighted_log_likelihood(
        lambda z: -0.5 * z.square().sum(dim=1) - 1.5 * log(2 * pi), torch.zeros(1, 1), torch.tensor([[log(0.5)]]), 1
    )
    assert found.item() == pytest.approx(-0.5 * log(2 * pi * 2) - log(2 * pi), abs=1e-5)


def test_another_distribution_gives_a_lower_bound_that_rises_to_the_truth():
    torch.manual_seed(0)
    mean, log_var = posterior()
    wrong = (mean + 0.5, log_var + 1.0)

    def mean_of(repeats, samples):
        found = [importance_weighted_log_likelihood(log_likelihood, *wrong, samples) for _ in range(repeats)]
        return torch.stack(found).mean(dim=0)

    elbo, better, best = mean_of(2000, 1), mean_of(400, 5), mean_of(1, 20_000)
    assert (elbo + 0.1 < better).all()
    assert (better < truth()).all()
    torch.testing.assert_close(best, truth(), rtol=0, atol=0.05)
