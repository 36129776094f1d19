"""The Fréchet distance of features that have been read already."""

import torch
from torch import Tensor, nn


class GivenFeatures(nn.Identity):
    """Stands for the feature network in torchmetrics: the features come from ours, once for all scores.

    Args:
        num_features: how many there are of an image.
    """

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    """Return the FID of the features ``(N, F)`` of some images against those of real ones, ``(M, F)``.

    In a training of several processes each gives its part, and all get the same.
    """
    from torchmetrics.image.fid import FrechetInceptionDistance

    fid = FrechetInceptionDistance(feature=GivenFeatures(real.shape[1])).to(real.device)
    # In the double precision in which the covariances are summed.
    fid.update(real.to(torch.float64), real=True)
    fid.update(fake.to(torch.float64), real=False)
    return float(fid.compute())
