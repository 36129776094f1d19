"""Distributions of returns over a fixed grid of values, as pure functions."""

import torch
from torch import Tensor


def project_distribution(
    probabilities: Tensor, reward: Tensor, terminated: Tensor, gamma: float | Tensor, support: Tensor
) -> Tensor:
    """Return the distribution of ``reward + gamma * Z`` on the grid on which Z is given (Bellemare et al. 2017).

    Each value moves, and its probability goes to its two neighbours on the grid, the more the nearer; beyond the ends
    it goes to the end. After a terminal state Z is 0.

    Args:
        probabilities: ``(B, K)`` of Z, the return after the next observation; 1 in the sum over K.
        reward: ``(B,)``.
        terminated: ``(B,)`` bool.
        gamma: discount in [0, 1]; one for all, or ``(B,)``.
        support: ``(K,)`` values, evenly spaced and rising; K is at least 2.

    Returns:
        ``(B, K)``, with the same sums as ``probabilities``.
    """
    least, step, last = support[0], support[1] - support[0], len(support) - 1
    discount = torch.where(terminated, 0.0, torch.as_tensor(gamma, dtype=reward.dtype, device=reward.device))
    moved = reward.unsqueeze(1) + discount.unsqueeze(1) * support
    place = ((moved - least) / step).clamp(0, last)
    below = place.floor().clamp(max=last - 1)  # so that there is always a neighbour above
    above_part = probabilities * (place - below)
    index = below.long()
    projected = torch.zeros_like(probabilities)
    projected.scatter_add_(1, index, probabilities - above_part)
    return projected.scatter_add_(1, index + 1, above_part)
