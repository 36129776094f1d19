"""Distances between two discrete distributions, and the optimal discriminator between them.

A distribution is a tensor ``(..., K)`` of probabilities that sum to 1 over its last dimension. Logarithms are natural.
"""

import math

import numpy as np
import torch
from torch import Tensor

from dlmodules.errors import UserError


def kl_divergence(p: Tensor, q: Tensor) -> Tensor:
    """Return ``KL(p || q) = sum p log(p / q)`` of distributions ``(..., K)``: ``(...)``.

    It is infinite where ``q`` is 0 and ``p`` is not, and not symmetric. Raises UserError for no distributions.
    """
    _check_pair(p, q)
    # Where p is 0 nothing is added, whatever q is; a 1 in both places keeps the gradient a number too.
    some = p > 0
    ratio = torch.where(some, p, 1.0) / torch.where(some, q, 1.0)
    return (p * ratio.log()).sum(dim=-1)


def js_divergence(p: Tensor, q: Tensor) -> Tensor:
    """Return the Jensen-Shannon divergence of distributions ``(..., K)``: ``(...)``, in [0, log 2].

    It is the mean of the KL divergences from the mixture ``(p + q) / 2``, is symmetric, and is log 2 for any two
    distributions that have no place in common. Raises UserError for no distributions.
    """
    _check_pair(p, q)
    mixture = 0.5 * (p + q)
    return 0.5 * (kl_divergence(p, mixture) + kl_divergence(q, mixture))


def earth_movers_distance(p: Tensor, q: Tensor, positions: Tensor | None = None, cost: Tensor | None = None) -> Tensor:
    """Return the least ``sum plan * cost`` of moving the masses ``p`` to where ``q`` has them: ``()``, Wasserstein-1.

    Args:
        p: ``(K,)``, what lies there at first.
        q: ``(K,)``, or with ``cost`` ``(M,)``: what shall lie there.
        positions: where the masses of both lie: ``(K,)`` on a line, which is computed by cumulative sums and has a
            gradient; or ``(K, D)`` in space, whose Euclidean distances are the cost.
        cost: ``(K, M)``, what moving a mass of 1 from each place to each other costs, in place of ``positions``.
            A linear program finds the best plan; the result has no gradient.

    Raises:
        UserError: for no distributions, shapes that do not go together, or not one of ``positions`` and ``cost``.
    """
    if (positions is None) == (cost is None):
        raise UserError("earth_movers_distance needs either positions or a cost matrix")
    if p.ndim != 1 or q.ndim != 1:
        raise UserError(f"earth_movers_distance takes one pair of distributions, not {_shape(p)} and {_shape(q)}")
    _check_distribution(p)
    _check_distribution(q)
    if positions is not None:
        if p.shape != q.shape or positions.ndim not in (1, 2) or len(positions) != len(p):
            raise UserError(f"positions are {_shape(positions)}; distributions are {_shape(p)} and {_shape(q)}")
        if positions.ndim == 1:
            return _on_a_line(p, q, positions)
        cost = torch.cdist(positions, positions)
    assert cost is not None
    if cost.shape != (len(p), len(q)):
        raise UserError(f"the cost matrix is {_shape(cost)}; it must be ({len(p)}, {len(q)})")
    return _cheapest_transport(p, q, cost)


def optimal_discriminator(p_data: Tensor, p_g: Tensor) -> Tensor:
    """Return ``D* = p_data / (p_data + p_g)`` ``(..., K)``: no discriminator has a smaller loss.

    Where neither distribution has any mass, where every answer is as good, it is 1/2.
    """
    _check_pair(p_data, p_g)
    total = p_data + p_g
    return torch.where(total > 0, p_data / torch.where(total > 0, total, 1.0), 0.5)


def discriminator_loss(d: Tensor, p_data: Tensor, p_g: Tensor) -> Tensor:
    """Return ``-E_data[log D] - E_g[log(1 - D)]`` of the probabilities ``d`` ``(..., K)`` in [0, 1]: ``(...)``.

    It is the sum of both halves, as in the paper; the modules of this package log their mean.
    """
    _check_pair(p_data, p_g)
    return -(torch.xlogy(p_data, d) + torch.xlogy(p_g, 1.0 - d)).sum(dim=-1)


def optimal_discriminator_loss(p_data: Tensor, p_g: Tensor) -> Tensor:
    """Return the loss of the optimal discriminator, ``2 log 2 - 2 JS(p_data, p_g)``: ``(...)``, in [0, 2 log 2]."""
    return 2.0 * math.log(2.0) - 2.0 * js_divergence(p_data, p_g)


def _on_a_line(p: Tensor, q: Tensor, positions: Tensor) -> Tensor:
    """Sum how much mass has to pass each gap between neighbouring positions, times its length."""
    ordered, order = positions.sort()
    passing = (p - q)[order].cumsum(dim=0)[:-1].abs()
    return (passing * ordered.diff()).sum()


def _cheapest_transport(p: Tensor, q: Tensor, cost: Tensor) -> Tensor:
    from scipy import sparse
    from scipy.optimize import linprog

    sources, targets = p.detach().cpu().double().numpy(), q.detach().cpu().double().numpy()
    n, m = len(sources), len(targets)
    leaving = sparse.kron(sparse.eye_array(n), np.ones((1, m)))
    arriving = sparse.kron(np.ones((1, n)), sparse.eye_array(m))
    # All that leaves arrives, so the last equation follows from the others; rounding may make it contradict them.
    equations = sparse.vstack([leaving, arriving]).tocsr()[:-1]
    amounts = np.concatenate([sources / sources.sum(), targets / targets.sum()])[:-1]
    found = linprog(cost.detach().cpu().double().numpy().ravel(), A_eq=equations, b_eq=amounts, method="highs")
    if not found.success:
        raise UserError(f"no cheapest transport was found: {found.message}; give a finite cost matrix")
    return torch.tensor(found.fun, dtype=cost.dtype, device=cost.device)


def _check_pair(p: Tensor, q: Tensor) -> None:
    if p.shape != q.shape:
        raise UserError(f"the distributions are {_shape(p)} and {_shape(q)}; both must have the same places")
    _check_distribution(p)
    _check_distribution(q)


def _check_distribution(p: Tensor) -> None:
    if p.ndim == 0 or not p.is_floating_point():
        raise UserError(f"a distribution must be a float tensor (..., K), not {p.dtype} {_shape(p)}")
    sums = p.sum(dim=-1)
    if bool((p < 0).any()) or not torch.allclose(sums, torch.ones_like(sums), rtol=0, atol=1e-4):
        raise UserError("a distribution must be 0 or more everywhere and sum to 1 over its last dimension")


def _shape(tensor: Tensor) -> tuple[int, ...]:
    return tuple(tensor.shape)
