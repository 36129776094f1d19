"""The terms of the evidence lower bound, per image: summed over pixels or latent dimensions, not averaged."""

import torch
from torch import Tensor
from torch.nn import functional as F


def reparameterize(mean: Tensor, log_var: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw z ~ N(mean, exp(log_var)) as mean + sigma * epsilon, so that gradients reach both."""
    epsilon = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
    return mean + torch.exp(0.5 * log_var) * epsilon


def kl_to_standard_normal(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mean, exp(log_var)) || N(0, I)) of each image in nats: (B, latent_dim) twice -> (B,)."""
    return -0.5 * torch.sum(1.0 + log_var - mean.square() - log_var.exp(), dim=1)


def log_normal_ratio(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """Return ``log N(z; 0, I) - log N(z; mean, exp(log_var))`` in nats: (B, latent_dim) three times -> (B,)."""
    return 0.5 * ((z - mean).square() / log_var.exp() + log_var - z.square()).sum(dim=1)


def bernoulli_nll(logits: Tensor, x: Tensor) -> Tensor:
    """Negative log-likelihood of images ``x`` in [0, 1] in nats, pixels summed: (B, C, H, W) twice -> (B,)."""
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(dim=1)


def squared_error(logits: Tensor, x: Tensor) -> Tensor:
    """Squared error of the decoded images, pixels summed: (B, C, H, W) twice -> (B,).

    It is the negative log-likelihood of a Gaussian of variance 1/2, but for a constant.
    """
    return (torch.sigmoid(logits) - x).square().flatten(1).sum(dim=1)


def active_units(means: Tensor, threshold: float = 0.01) -> Tensor:
    """Count the latent dimensions whose posterior mean varies over the data by more than ``threshold``.

    ``means`` is (N, latent_dim). A dimension that the decoder ignores has the prior's mean for every
    image (Burda et al. 2016, arXiv:1509.00519).
    """
    return (means.var(dim=0) > threshold).sum()
