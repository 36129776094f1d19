"""Ranks of a population's fitness."""

import torch
from torch import Tensor


def centered_ranks(fitness: Tensor) -> Tensor:
    """Return the ranks of ``fitness`` ``(P,)``, spread evenly from -0.5 for the least to 0.5 for the largest.

    Equal values have the mean of their ranks, so that what makes no difference moves nothing.
    """
    _, place, counts = torch.unique(fitness, return_inverse=True, return_counts=True)
    ranks: Tensor = (counts.cumsum(0).double() - (counts + 1) / 2)[place]
    return ranks / (len(fitness) - 1) - 0.5
