"""Capsule layers with dynamic routing, and the margin loss."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.sampling.labels import one_hot


def squash(s: Tensor, dim: int = -1) -> Tensor:
    """Shrink vectors to a length in [0, 1) without changing their direction: ``|s|^2 / (1 + |s|^2) * s / |s|``."""
    squared = s.square().sum(dim, keepdim=True)
    # The small number keeps the gradient of the root finite at zero.
    return squared / (1.0 + squared) * s * torch.rsqrt(squared + 1e-8)


def dynamic_routing(votes: Tensor, iterations: int) -> Tensor:
    """Route the votes of lower capsules to the upper ones that they agree with.

    Args:
        votes: ``(B, I, J, D)``, what each of I lower capsules predicts for each of J upper ones.
        iterations: how often the agreement is computed, 1 or more.

    Returns:
        The upper capsules ``(B, J, D)``, each of length in [0, 1).
    """
    logits = votes.new_zeros(votes.shape[:3])
    # The gradient flows through the last iteration alone, as the weights are computed rather than learned.
    fixed = votes.detach()
    for _ in range(iterations - 1):
        upper = squash(torch.einsum("bij,bijd->bjd", logits.softmax(dim=2), fixed))
        logits = logits + torch.einsum("bijd,bjd->bij", fixed, upper)
    return squash(torch.einsum("bij,bijd->bjd", logits.softmax(dim=2), votes))


def margin_loss(lengths: Tensor, y: Tensor, upper: float = 0.9, lower: float = 0.1, absent: float = 0.5) -> Tensor:
    """Penalize a true class's capsule shorter than ``upper``, and others longer than ``lower``.

    ``lengths`` is ``(B, K)`` in [0, 1), ``y`` ``(B,)`` int64; summed over classes, averaged over the batch. ``absent``
    weighs the other classes down, so that the first steps do not shrink all capsules.
    """
    present = one_hot(y, lengths.shape[1], lengths.dtype)
    loss = present * F.relu(upper - lengths).square() + absent * (1 - present) * F.relu(lengths - lower).square()
    return loss.sum(dim=1).mean()


class PrimaryCapsules(nn.Module):
    """A convolution with ``capsules`` blocks of ``dim`` channels: every place of the map gives a vector for each."""

    def __init__(self, channels: int, capsules: int, dim: int, kernel_size: int, stride: int) -> None:
        super().__init__()
        self.dim = dim
        self.conv = nn.Conv2d(channels, capsules * dim, kernel_size, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, channels, H, W)`` to ``(B, capsules * H' * W', dim)``, squashed."""
        maps = self.conv(x)
        vectors = maps.unflatten(1, (-1, self.dim)).permute(0, 1, 3, 4, 2)
        return squash(vectors.flatten(1, 3))


class RoutedCapsules(nn.Module):
    """``classes`` capsules of ``dim`` above ``inputs`` capsules of ``input_dim``, with a matrix for each pair."""

    def __init__(self, inputs: int, input_dim: int, classes: int, dim: int, iterations: int) -> None:
        super().__init__()
        self.iterations = iterations
        self.weight = nn.Parameter(torch.randn(inputs, classes, input_dim, dim) * 0.05)

    def forward(self, u: Tensor) -> Tensor:
        """Map ``(B, inputs, input_dim)`` to ``(B, classes, dim)``."""
        votes = torch.einsum("bin,ijnd->bijd", u, self.weight)
        return dynamic_routing(votes, self.iterations)
