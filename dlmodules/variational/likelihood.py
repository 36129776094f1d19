"""The likelihood of a model with latent codes, estimated by importance sampling."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from dlmodules.variational.elbo import log_normal_ratio, reparameterize


def importance_weighted_log_likelihood(
    log_likelihood: Callable[[Tensor], Tensor], mean: Tensor, log_var: Tensor, samples: int
) -> Tensor:
    """Estimate ``log p(x)`` ``(B,)`` in nats as ``log(mean of p(x|z) p(z) / q(z|x))``, for a standard normal p(z).

    In expectation it is a lower bound, which rises to the truth with ``samples`` (Burda et al. 2016,
    arXiv:1509.00519). Where q is the true posterior, each weight is p(x) itself and one sample is enough.

    Args:
        log_likelihood: maps codes z ``(B, latent_dim)`` to ``log p(x|z)`` ``(B,)``.
        mean: of q(z|x), ``(B, latent_dim)``.
        log_var: logarithm of the variances of q(z|x), ``(B, latent_dim)``.
        samples: codes drawn from q(z|x) for each x, 1 or more.
    """
    log_weights = []
    for _ in range(samples):
        z = reparameterize(mean, log_var)
        log_weights.append(log_normal_ratio(z, mean, log_var) + log_likelihood(z))
    return torch.stack(log_weights).logsumexp(dim=0) - math.log(samples)
