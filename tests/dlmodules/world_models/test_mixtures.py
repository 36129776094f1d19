"""Mixtures of Gaussians, against torch.distributions and values computed by hand."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal

from dlmodules.errors import UserError
from dlmodules.world_models.mixtures import (
    LARGEST_CORRELATION,
    BivariateMixture,
    GaussianMixture,
    bivariate_log_prob,
    marginal_log_probs,
    mixture_log_prob,
    mixture_mean,
    mixture_width,
    sample_bivariate,
    sample_mixture,
    split_bivariate,
    split_mixture,
)

N, DIM, K = 4, 3, 5


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def two_far_apart(shared: bool) -> GaussianMixture:
    """Two narrow components of two numbers, at -1 and 1."""
    log_pi = torch.full((1 if shared else 2, 2), math.log(0.5))
    return GaussianMixture(log_pi, torch.tensor([[-1.0, 1.0], [-1.0, 1.0]]), torch.full((2, 2), math.log(0.1)))


def test_the_outputs_are_split_number_by_number_in_thirds():
    mixture = split_mixture(torch.arange(12.0), dim=2, components=2)
    assert mixture.log_pi.shape == mixture.mu.shape == mixture.log_sigma.shape == (2, 2)
    assert not mixture.shared
    assert torch.equal(mixture.mu, torch.tensor([[2.0, 3.0], [8.0, 9.0]]))
    assert torch.equal(mixture.log_sigma, torch.tensor([[4.0, 5.0], [10.0, 11.0]]))
    # The two logits of a number differ by 1: sigmoid(1) and the rest.
    high = 1 / (1 + math.exp(-1))
    assert mixture.log_pi.exp().flatten().tolist() == pytest.approx([1 - high, high, 1 - high, high])


def test_a_shared_mixture_begins_with_its_only_weights():
    mixture = split_mixture(torch.arange(10.0), dim=2, components=2, shared=True)
    assert mixture.shared
    assert mixture.log_pi.shape == (1, 2)
    assert torch.equal(mixture.mu, torch.tensor([[2.0, 3.0], [6.0, 7.0]]))
    assert torch.equal(mixture.log_sigma, torch.tensor([[4.0, 5.0], [8.0, 9.0]]))


def test_the_widths_are_those_of_the_books_network():
    assert mixture_width(32, 5) == 480  # and the logit of the reward makes 481
    assert mixture_width(32, 5, shared=True) == 325


def test_log_prob_of_mixtures_for_each_number():
    outputs, x = drawn(N, mixture_width(DIM, K)), drawn(N, DIM)
    mixture = split_mixture(outputs, DIM, K)
    expected = MixtureSameFamily(Categorical(logits=mixture.log_pi), Normal(mixture.mu, mixture.log_sigma.exp()))
    assert torch.allclose(marginal_log_probs(mixture, x), expected.log_prob(x), atol=1e-5)
    assert torch.allclose(mixture_log_prob(mixture, x), expected.log_prob(x).sum(dim=-1), atol=1e-5)
    assert torch.allclose(mixture_mean(mixture), expected.mean, atol=1e-6)


def test_log_prob_of_a_shared_mixture():
    outputs, x = drawn(N, mixture_width(DIM, K, shared=True)), drawn(N, DIM)
    mixture = split_mixture(outputs, DIM, K, shared=True)
    normals = Independent(Normal(mixture.mu.transpose(-1, -2), mixture.log_sigma.exp().transpose(-1, -2)), 1)
    expected = MixtureSameFamily(Categorical(logits=mixture.log_pi.squeeze(-2)), normals)
    assert torch.allclose(mixture_log_prob(mixture, x), expected.log_prob(x), atol=1e-5)
    assert torch.allclose(mixture_mean(mixture), expected.mean, atol=1e-6)
    # One number's density whatever the others are: that of the mixture of its column.
    of_first = MixtureSameFamily(
        Categorical(logits=mixture.log_pi.squeeze(-2)), Normal(mixture.mu[:, 0], mixture.log_sigma[:, 0].exp())
    )
    assert torch.allclose(marginal_log_probs(mixture, x)[:, 0], of_first.log_prob(x[:, 0]), atol=1e-5)


def test_sharing_the_component_changes_the_joint_density_and_not_that_of_one_number():
    same, opposite = torch.tensor([1.0, 1.0]), torch.tensor([1.0, -1.0])
    peak = -math.log(0.1 * math.sqrt(2 * math.pi))  # of a component, a number
    for_each = two_far_apart(shared=False)
    # For each number: half of the mass at each of four corners.
    assert mixture_log_prob(for_each, same).item() == pytest.approx(2 * (peak + math.log(0.5)), abs=1e-4)
    assert mixture_log_prob(for_each, opposite).item() == pytest.approx(2 * (peak + math.log(0.5)), abs=1e-4)
    # Shared: at two corners alone. The other two are 20 standard deviations off.
    shared = two_far_apart(shared=True)
    assert mixture_log_prob(shared, same).item() == pytest.approx(2 * peak + math.log(0.5), abs=1e-4)
    assert mixture_log_prob(shared, opposite).item() == pytest.approx(2 * peak - 200.0, abs=1e-3)
    assert torch.allclose(marginal_log_probs(shared, opposite), marginal_log_probs(for_each, opposite))


@pytest.mark.parametrize("shared", [False, True])
def test_samples_come_from_one_component_of_the_whole_vector_only_where_it_is_shared(shared):
    mixture = two_far_apart(shared)
    many = GaussianMixture(*(parameter.expand(2000, *parameter.shape) for parameter in mixture))
    x = sample_mixture(many, generator=torch.Generator().manual_seed(0))
    agreeing = (x[:, 0].sign() == x[:, 1].sign()).float().mean().item()
    assert agreeing == pytest.approx(1.0 if shared else 0.5, abs=0.05)
    assert x[:, 0].sign().mean().item() == pytest.approx(0.0, abs=0.07)


def test_temperature_divides_the_logits_and_multiplies_the_variance():
    n = 100_000
    log_pi = torch.tensor([[0.9, 0.1]]).log().expand(n, 1, 2)
    mixture = GaussianMixture(log_pi, torch.tensor([[-100.0, 100.0]]).expand(n, 1, 2), torch.zeros(n, 1, 2))
    warm = sample_mixture(mixture, 4.0, torch.Generator().manual_seed(0)).squeeze(-1)
    below = warm[warm < 0]
    roots = 0.9**0.25, 0.1**0.25
    assert len(below) / n == pytest.approx(roots[0] / sum(roots), abs=0.005)  # 0.634, not 0.9
    assert below.std().item() == pytest.approx(2.0, abs=0.03)  # neither 4 nor 1
    cold = sample_mixture(mixture, 0.25, torch.Generator().manual_seed(0)).squeeze(-1)
    assert (cold < 0).float().mean().item() == pytest.approx(0.9**4 / (0.9**4 + 0.1**4), abs=0.001)
    assert cold[cold < 0].std().item() == pytest.approx(0.5, abs=0.01)


def test_a_temperature_near_zero_gives_the_mean_of_the_most_probable_component():
    mixture = split_mixture(drawn(N, mixture_width(DIM, K)), DIM, K)
    best = mixture.mu.gather(-1, mixture.log_pi.argmax(dim=-1, keepdim=True)).squeeze(-1)
    assert torch.allclose(sample_mixture(mixture, 1e-12), best, atol=1e-4)


def test_the_same_generator_gives_the_same_sample():
    mixture = split_mixture(drawn(N, mixture_width(DIM, K)), DIM, K)
    first, second = (sample_mixture(mixture, generator=torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("shared", [False, True])
def test_extreme_parameters_have_finite_densities_and_gradients(shared):
    outputs = torch.zeros(mixture_width(2, 2, shared))
    outputs[0] = 200.0  # a component of no probability
    outputs[-2:] = -20.0  # log_sigma of the second number
    outputs[-4:-2] = torch.tensor([1e6, -1e6])  # its means
    outputs.requires_grad_()
    log_prob = mixture_log_prob(split_mixture(outputs, 2, 2, shared), torch.tensor([1e4, -1e4]))
    log_prob.backward()
    assert log_prob.item() < -1e20
    assert torch.isfinite(log_prob)
    assert torch.isfinite(outputs.grad).all()


def test_a_narrow_component_at_its_mean_has_its_exact_density():
    outputs = torch.tensor([0.0, 3.0, -20.0])
    assert mixture_log_prob(split_mixture(outputs, 1, 1), torch.tensor([3.0])).item() == pytest.approx(
        20.0 - 0.5 * math.log(2 * math.pi), abs=1e-5
    )


def test_half_precision_is_computed_in_single():
    outputs = drawn(N, mixture_width(DIM, K))
    assert split_mixture(outputs.bfloat16(), DIM, K).mu.dtype == torch.float32
    assert split_mixture(outputs.double(), DIM, K).mu.dtype == torch.float64
    assert split_bivariate(drawn(N, 6 * K).half(), K).log_pi.dtype == torch.float32


def correlated(n: int = 1) -> BivariateMixture:
    """One component with the covariance [[4, 1.2], [1.2, 1]]: a correlation of 0.6."""
    return BivariateMixture(
        torch.zeros(n, 1),
        torch.tensor([[[1.0, -2.0]]]).expand(n, 1, 2),
        torch.tensor([[[math.log(2.0), 0.0]]]).expand(n, 1, 2),
        torch.full((n, 1), 0.6),
    )


def test_the_outputs_of_a_bivariate_mixture_are_split_in_four():
    mixture = split_bivariate(torch.arange(12.0), 2)
    assert torch.equal(mixture.mu, torch.tensor([[2.0, 3.0], [4.0, 5.0]]))
    assert torch.equal(mixture.log_sigma, torch.tensor([[6.0, 7.0], [8.0, 9.0]]))
    assert mixture.correlation.tolist() == pytest.approx([LARGEST_CORRELATION] * 2)
    assert mixture.log_pi.exp().sum().item() == pytest.approx(1.0)
    assert split_bivariate(torch.tensor([0.0, 0, 0, 0, 0, 0.5]), 1).correlation.item() == pytest.approx(
        math.tanh(0.5), rel=2e-4
    )


def test_bivariate_log_prob_by_hand():
    # Graves' eq. 24 and 25 at (3, -1): z = (1, 1), Z = 1 + 1 - 1.2 = 0.8, 1 - r^2 = 0.64.
    expected = -0.8 / (2 * 0.64) - math.log(2 * math.pi * 2.0 * 1.0 * math.sqrt(0.64))
    assert bivariate_log_prob(correlated(), torch.tensor([[3.0, -1.0]])).item() == pytest.approx(expected, abs=1e-6)


def test_bivariate_log_prob_of_many_components():
    mixture, x = split_bivariate(drawn(N, 6 * K), K), drawn(N, 2)
    sigma, rho = mixture.log_sigma.exp(), mixture.correlation
    off = rho * sigma.prod(dim=-1)
    covariance = torch.stack([sigma[..., 0].square(), off, off, sigma[..., 1].square()], dim=-1).view(N, K, 2, 2)
    expected = MixtureSameFamily(Categorical(logits=mixture.log_pi), MultivariateNormal(mixture.mu, covariance))
    assert torch.allclose(bivariate_log_prob(mixture, x), expected.log_prob(x), atol=1e-5)


def test_bivariate_samples_have_the_moments_of_their_component():
    x = sample_bivariate(correlated(200_000), generator=torch.Generator().manual_seed(0))
    assert x.mean(dim=0).tolist() == pytest.approx([1.0, -2.0], abs=0.02)
    assert x.T.cov().flatten().tolist() == pytest.approx([4.0, 1.2, 1.2, 1.0], abs=0.03)


def test_the_bias_narrows_the_components_and_prefers_the_probable():
    n = 100_000
    mixture = BivariateMixture(
        torch.tensor([0.8, 0.2]).log().expand(n, 2),
        torch.tensor([[-100.0, 0.0], [100.0, 0.0]]).expand(n, 2, 2),
        torch.zeros(n, 2, 2),
        torch.full((n, 2), 0.5),
    )
    x = sample_bivariate(mixture, bias=1.0, generator=torch.Generator().manual_seed(0))
    first = x[x[:, 0] < 0]
    assert len(first) / n == pytest.approx(0.8**2 / (0.8**2 + 0.2**2), abs=0.003)
    assert first.std(dim=0).tolist() == pytest.approx([math.exp(-1)] * 2, abs=0.01)
    assert torch.corrcoef(first.T)[0, 1].item() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("correlation", [-1e4, 1e4])
def test_extreme_bivariate_parameters_have_finite_densities_and_gradients(correlation):
    outputs = torch.tensor([0.0, 1e6, -1e6, -20.0, -20.0, correlation], requires_grad=True)
    mixture = split_bivariate(outputs, 1)
    log_prob = bivariate_log_prob(mixture, torch.tensor([-1e3, -1e3]))
    log_prob.backward()
    assert torch.isfinite(log_prob)
    assert torch.isfinite(outputs.grad).all()
    assert torch.isfinite(sample_bivariate(mixture)).all()


def test_wrong_arguments_are_told():
    mixture = split_mixture(torch.zeros(6), 2, 1)
    for temperature in (0.0, -1.0, math.nan):
        with pytest.raises(UserError, match=r"temperature is .*; it must be more than 0"):
            sample_mixture(mixture, temperature)
    with pytest.raises(UserError, match=r"bias is -0.5; it must be 0 or more"):
        sample_bivariate(correlated(), -0.5)
    with pytest.raises(UserError, match="returns 7 numbers; a mixture with dim=2 and components=1 takes 6"):
        split_mixture(torch.zeros(7), 2, 1)
    with pytest.raises(UserError, match="7 numbers; a bivariate mixture with components=2 takes 12"):
        split_bivariate(torch.zeros(7), 2)
    with pytest.raises(UserError, match="dim is 0; it must be 1 or more"):
        split_mixture(torch.zeros(0), 0, 1)
    with pytest.raises(UserError, match="components is 0; it must be 1 or more"):
        split_bivariate(torch.zeros(0), 0)
