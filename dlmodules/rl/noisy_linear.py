"""Linear layers with noise in their weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class NoisyLinear(nn.Module):
    """A linear layer whose weights and biases have noise, the size of which is learnt (Fortunato et al. 2018).

    The noise of a weight is the product of one number for its input and one for its output, so few are drawn. There is
    noise inside ``noise_of`` only; elsewhere, in evaluation for one, the layer is a plain linear layer.

    Args:
        in_features: numbers of an input.
        out_features: numbers of an output.
        sigma: the deviation of the noise at first, times the root of ``in_features``.
    """

    def __init__(self, in_features: int, out_features: int, sigma: float = 0.5) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.sigma = sigma
        bound = 1 / sqrt(in_features)
        self.weight = nn.Parameter(torch.empty(out_features, in_features).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(out_features).uniform_(-bound, bound))
        self.weight_sigma = nn.Parameter(torch.full((out_features, in_features), sigma * bound))
        self.bias_sigma = nn.Parameter(torch.full((out_features,), sigma * bound))
        self.noise: tuple[Tensor, Tensor] | None = None

    def draw_noise(self, rows: int, generator: torch.Generator) -> None:
        """Draw noise for the inputs and the outputs, one for each of ``rows`` samples, or one for all with 1."""
        device = self.weight.device
        inputs, outputs = (
            torch.randn(rows, size, generator=generator).to(device) for size in (self.in_features, self.out_features)
        )
        self.noise = _signed_root(inputs), _signed_root(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, in_features)`` to ``(B, out_features)``."""
        plain = F.linear(x, self.weight, self.bias)
        if self.noise is None:
            return plain
        inputs, outputs = self.noise
        # The weights with noise are never built: an input's number multiplies it before, an output's after.
        return plain + outputs * F.linear(x * inputs, self.weight_sigma, self.bias_sigma)


def _signed_root(x: Tensor) -> Tensor:
    return x.sign() * x.abs().sqrt()


@contextmanager
def noise_of(*networks: nn.Module, generator: torch.Generator, rows: int = 1) -> Iterator[None]:
    """Give the noisy layers of ``networks`` new noise, and take it away at the end.

    Args:
        networks: whose layers get noise, each its own.
        generator: draws it, on the CPU.
        rows: 1 for the same noise in a whole batch, B for noise of its own in each sample.
    """
    layers = [layer for network in networks for layer in network.modules() if isinstance(layer, NoisyLinear)]
    for layer in layers:
        layer.draw_noise(rows, generator)
    try:
        yield
    finally:
        for layer in layers:
            layer.noise = None
