"""Mixtures of Gaussians whose parameters a network computes: mixture density networks (Bishop 1994).

Densities are natural logarithms of the data's own unit, and every sum over components is a log-sum-exp. In single
precision values and gradients stay finite for ``log_sigma`` of -20 or more and points within 1e10 of the means.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from dlmodules.errors import UserError
from dlmodules.sampling.devices import sampling_device
from dlmodules.validation.arguments import check_at_least, check_at_least_one, check_positive

HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)

LARGEST_CORRELATION = 1.0 - 1e-4
"""A pen that moves along a straight line would drive the correlation to 1, where the density has no bound."""


class GaussianMixture(NamedTuple):
    """Mixtures of K Gaussians over vectors of D numbers.

    Either each number has a mixture of its own, independent of the others, or ``log_pi`` has 1 in the place of D: then
    one component is chosen for the whole vector, within which its numbers are independent.

    Args:
        log_pi: ``(..., D, K)`` or ``(..., 1, K)``, log-probabilities of the components.
        mu: ``(..., D, K)``, their means.
        log_sigma: ``(..., D, K)``, logarithms of their standard deviations.
    """

    log_pi: Tensor
    mu: Tensor
    log_sigma: Tensor

    @property
    def shared(self) -> bool:
        """Whether one component is chosen for the whole vector."""
        return self.log_pi.shape[-2] == 1


def mixture_width(dim: int, components: int, shared: bool = False) -> int:
    """Return how many numbers ``split_mixture`` takes: 3DK, or K + 2DK of a shared mixture."""
    check_at_least_one(dim=dim, components=components)
    return components + 2 * dim * components if shared else 3 * dim * components


def split_mixture(outputs: Tensor, dim: int, components: int, shared: bool = False) -> GaussianMixture:
    """Return the mixture that a network's last layer describes.

    Args:
        outputs: ``(..., 3DK)``: for each of the D numbers a row of K ``log_pi``, not yet normalised, K ``mu`` and K
            ``log_sigma``. Of a shared mixture ``(..., K + 2DK)``: K ``log_pi``, then for each of the D numbers a row
            of K ``mu`` and K ``log_sigma``.
        dim: D, 1 or more.
        components: K, 1 or more.
        shared: whether one component is chosen for the whole vector.

    Raises:
        UserError: for another number of outputs, and for ``dim`` or ``components`` below 1.
    """
    _check_width(
        outputs, mixture_width(dim, components, shared), f"a mixture with dim={dim} and components={components}"
    )
    outputs = _at_least_single(outputs)
    if shared:
        logits, rest = outputs[..., None, :components], outputs[..., components:]
        mu, log_sigma = torch.unflatten(rest, -1, (dim, 2 * components)).chunk(2, dim=-1)
    else:
        logits, mu, log_sigma = torch.unflatten(outputs, -1, (dim, 3 * components)).chunk(3, dim=-1)
    return GaussianMixture(logits.log_softmax(dim=-1), mu, log_sigma)


def mixture_log_prob(mixture: GaussianMixture, x: Tensor) -> Tensor:
    """Return the log-density ``(...)`` of the whole vectors ``x`` ``(..., D)``, in nats."""
    of_components = _log_normal(x.unsqueeze(-1), mixture)
    if mixture.shared:
        of_components = of_components.sum(dim=-2, keepdim=True)
    return torch.logsumexp(mixture.log_pi + of_components, dim=-1).sum(dim=-1)


def marginal_log_probs(mixture: GaussianMixture, x: Tensor) -> Tensor:
    """Return the log-density ``(..., D)`` of each number of ``x`` ``(..., D)`` whatever the others are, in nats.

    Their sum is ``mixture_log_prob`` where each number has a mixture of its own, not where they share one.
    """
    return torch.logsumexp(mixture.log_pi + _log_normal(x.unsqueeze(-1), mixture), dim=-1)


def sample_mixture(
    mixture: GaussianMixture, temperature: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """Draw one vector ``(..., D)`` from each mixture.

    Args:
        mixture: what is drawn from.
        temperature: more than 0; ``log_pi`` is divided by it and normalised again, and the standard deviations are
            multiplied by its square root (Ha and Schmidhuber 2018): 1 draws from the mixture itself, near 0 comes the
            mean of the most probable component.
        generator: of the draws; it may lie on another device.

    Raises:
        UserError: for a temperature that is not more than 0.
    """
    shape, device = mixture.log_pi.shape[:-1], sampling_device(generator, mixture.mu.device)
    uniform = torch.rand(shape, generator=generator, device=device, dtype=mixture.mu.dtype).to(mixture.mu.device)
    return mixture_at(mixture, uniform, _normal_like(mixture.mu[..., 0], generator), temperature)


def mixture_at(mixture: GaussianMixture, uniform: Tensor, normal: Tensor, temperature: float = 1.0) -> Tensor:
    """Return what ``sample_mixture`` makes of given draws.

    Args:
        mixture: what is drawn from.
        uniform: ``(..., D)`` in [0, 1), by which components are chosen; ``(..., 1)`` for a shared mixture.
        normal: ``(..., D)``, standard normal.
        temperature: more than 0.

    Raises:
        UserError: for a temperature that is not more than 0.
    """
    check_positive(temperature=temperature)
    chosen = _chosen(mixture.log_pi / temperature, uniform).expand(mixture.mu.shape[:-1]).unsqueeze(-1)
    mu = mixture.mu.gather(-1, chosen).squeeze(-1)
    sigma = mixture.log_sigma.gather(-1, chosen).squeeze(-1).exp() * math.sqrt(temperature)
    return mu + sigma * normal


def mixture_mean(mixture: GaussianMixture) -> Tensor:
    """Return the mean ``(..., D)`` of each mixture."""
    return (mixture.log_pi.exp() * mixture.mu).sum(dim=-1)


class BivariateMixture(NamedTuple):
    """Mixtures of K Gaussians over pairs of numbers that are correlated: offsets of a pen (Graves 2013).

    Args:
        log_pi: ``(..., K)``, log-probabilities of the components.
        mu: ``(..., K, 2)``, their means.
        log_sigma: ``(..., K, 2)``, logarithms of their standard deviations.
        correlation: ``(..., K)`` in (-1, 1).
    """

    log_pi: Tensor
    mu: Tensor
    log_sigma: Tensor
    correlation: Tensor


def split_bivariate(outputs: Tensor, components: int) -> BivariateMixture:
    """Return the mixture that a network's last layer describes (Graves 2013, eq. 18 to 22).

    Args:
        outputs: ``(..., 6K)``: K ``log_pi``, not yet normalised, 2K ``mu`` and 2K ``log_sigma``, both numbers of a
            component side by side, and K that a hyperbolic tangent makes correlations.
        components: K, 1 or more.

    Raises:
        UserError: for another number of outputs, and for ``components`` below 1.
    """
    check_at_least_one(components=components)
    _check_width(outputs, 6 * components, f"a bivariate mixture with components={components}")
    k = components
    logits, mu, log_sigma, correlation = torch.split(_at_least_single(outputs), [k, 2 * k, 2 * k, k], dim=-1)
    return BivariateMixture(
        logits.log_softmax(dim=-1),
        torch.unflatten(mu, -1, (k, 2)),
        torch.unflatten(log_sigma, -1, (k, 2)),
        LARGEST_CORRELATION * correlation.tanh(),
    )


def bivariate_log_prob(mixture: BivariateMixture, x: Tensor) -> Tensor:
    """Return the log-density ``(...)`` of pairs ``x`` ``(..., 2)``, in nats (Graves 2013, eq. 24 and 25)."""
    first, second = ((x.unsqueeze(-2) - mixture.mu) * (-mixture.log_sigma).exp()).unbind(-1)
    rho = mixture.correlation
    # (1 - r)(1 + r) and the sum of two squares are the paper's 1 - r^2 and Z / (1 - r^2) without the differences of
    # nearly equal numbers.
    left = (1.0 - rho) * (1.0 + rho)
    squares = first.square() + (second - rho * first).square() / left
    log_normal = -0.5 * (squares + left.log()) - mixture.log_sigma.sum(dim=-1) - 2.0 * HALF_LOG_TWO_PI
    return torch.logsumexp(mixture.log_pi + log_normal, dim=-1)


def sample_bivariate(mixture: BivariateMixture, bias: float = 0.0, generator: torch.Generator | None = None) -> Tensor:
    """Draw one pair ``(..., 2)`` from each mixture.

    Args:
        mixture: what is drawn from.
        bias: b, 0 or more: ``log_pi`` is multiplied by 1 + b and normalised again, and ``log_sigma`` falls by b
            (Graves 2013, eq. 61 and 62). 0 draws from the mixture itself; 1 already writes much more neatly.
        generator: of the draws; it may lie on another device.

    Raises:
        UserError: for a negative bias.
    """
    check_at_least(0, bias=bias)
    chosen = _choose(mixture.log_pi * (1.0 + bias), generator).unsqueeze(-1)
    rho = mixture.correlation.gather(-1, chosen).squeeze(-1)
    both = chosen.unsqueeze(-1).expand(*chosen.shape, 2)
    mu = mixture.mu.gather(-2, both).squeeze(-2)
    sigma = (mixture.log_sigma.gather(-2, both).squeeze(-2) - bias).exp()
    first, second = _normal_like(mu, generator).unbind(-1)
    correlated = torch.stack([first, rho * first + ((1.0 - rho) * (1.0 + rho)).sqrt() * second], dim=-1)
    return mu + sigma * correlated


def _check_width(outputs: Tensor, wanted: int, what: str) -> None:
    if outputs.shape[-1] != wanted:
        raise UserError(f"the network returns {outputs.shape[-1]} numbers; {what} takes {wanted}")


def _at_least_single(outputs: Tensor) -> Tensor:
    # Half precision has neither the range of exp(-log_sigma) nor the digits of a log-sum-exp.
    return outputs.to(torch.promote_types(outputs.dtype, torch.float32))


def _log_normal(x: Tensor, mixture: GaussianMixture) -> Tensor:
    """Return the log-density of ``x`` ``(..., D, 1)`` in each component, ``(..., D, K)``."""
    z = (x - mixture.mu) * (-mixture.log_sigma).exp()
    return -0.5 * z.square() - mixture.log_sigma - HALF_LOG_TWO_PI


def _choose(logits: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draw a component for each row of ``logits`` ``(..., K)``: ``(...)`` int64."""
    # By uniform numbers and not torch.multinomial, which takes no more than two axes, and no generator of another
    # device.
    shape, device = logits.shape[:-1], sampling_device(generator, logits.device)
    uniform = torch.rand(shape, generator=generator, device=device, dtype=logits.dtype).to(logits.device)
    return _chosen(logits, uniform)


def _chosen(logits: Tensor, uniform: Tensor) -> Tensor:
    """Return the component ``(...)`` int64 of ``logits`` ``(..., K)`` at each of ``uniform`` ``(...)`` in [0, 1)."""
    # The last sum is made exactly 1, above every uniform number.
    sums = F.softmax(logits, dim=-1).cumsum(dim=-1)
    sums = sums / sums[..., -1:]
    return torch.searchsorted(sums.contiguous(), uniform.unsqueeze(-1).contiguous(), right=True).squeeze(-1)


def _normal_like(x: Tensor, generator: torch.Generator | None) -> Tensor:
    device = sampling_device(generator, x.device)
    return torch.randn(x.shape, generator=generator, device=device, dtype=x.dtype).to(x.device)
