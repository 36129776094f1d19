"""Precision, recall and coverage of samples, by the nearest neighbours in a space of features."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat
from typing_extensions import override

ROWS = 1000  # of a distance matrix at once


class NeighbourhoodScores(Metric):
    """Whether samples lie among the real images, and whether they lie among all of them.

    The neighbourhood of a point is the ball that reaches its k-th nearest neighbour in the same set.

    - ``precision``: fraction of the samples that lie in the neighbourhood of some real image;
    - ``recall``: fraction of the real images that lie in the neighbourhood of some sample;
    - ``coverage``: fraction of the real images in whose neighbourhood some sample lies, which an outlier among the
      samples, with its large neighbourhood, cannot raise.

    All are in [0, 1]; of two halves of one set, precision and recall depend on its dimension and coverage comes near
    ``1 - 2**-k``. Processes are brought together when it is computed.

    Paper: Kynkäänniemi et al. 2019, Improved Precision and Recall Metric for Assessing Generative Models,
        arXiv:1904.06991; Naeem et al. 2020, Reliable Fidelity and Diversity Metrics for Generative Models,
        arXiv:2002.09797 (coverage).

    Args:
        neighbours: k.
    """

    full_state_update = False
    is_differentiable = False
    real: list[Tensor]
    fake: list[Tensor]

    def __init__(self, neighbours: int = 5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if neighbours < 1:
            raise ValueError(f"neighbours is {neighbours}; it must be at least 1")
        self.neighbours = neighbours
        self.add_state("real", [], dist_reduce_fx="cat")
        self.add_state("fake", [], dist_reduce_fx="cat")

    @override
    def update(self, features: Tensor, real: bool) -> None:
        """Add the features ``(N, F)`` of real images or of samples."""
        (self.real if real else self.fake).append(features)

    @override
    def compute(self) -> dict[str, Tensor]:
        """Return ``precision``, ``recall`` and ``coverage``. A set of k points or fewer has no neighbourhoods."""
        real, fake = dim_zero_cat(self.real), dim_zero_cat(self.fake)
        real_radii, fake_radii = radii(real, self.neighbours), radii(fake, self.neighbours)
        precise, recalled = [], torch.zeros(len(real), dtype=torch.bool, device=real.device)
        nearest = torch.full_like(real_radii, torch.inf)
        for rows, radius in zip(torch.split(fake, ROWS), torch.split(fake_radii, ROWS), strict=True):
            distances = torch.cdist(rows, real)
            precise.append((distances <= real_radii).any(dim=1))
            recalled |= (distances <= radius[:, None]).any(dim=0)
            nearest = torch.minimum(nearest, distances.min(dim=0).values)
        return {
            "precision": torch.cat(precise).float().mean(),
            "recall": recalled.float().mean(),
            "coverage": (nearest <= real_radii).float().mean(),
        }


def radii(points: Tensor, neighbours: int) -> Tensor:
    """Return how far from each of ``points`` ``(N, F)`` its k-th nearest other point is: ``(N,)``."""
    # The nearest of all is the point itself.
    parts = [torch.cdist(rows, points).kthvalue(neighbours + 1, dim=1).values for rows in torch.split(points, ROWS)]
    return torch.cat(parts)
