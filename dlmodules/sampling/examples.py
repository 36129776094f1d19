"""Made-up inputs and labels, always the same, by which a module shows what it takes."""

from collections.abc import Sequence

import torch
from torch import Tensor


def example_inputs(n: int, shape: Sequence[int], device: torch.device) -> Tensor:
    """Return ``n`` inputs ``(n, *shape)`` uniform in [0, 1), without a draw from torch's own generator."""
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(0)).to(device)


def example_labels(n: int, num_classes: int, device: torch.device) -> Tensor:
    """Return ``n`` labels ``(n,)`` int64: each of the classes in turn."""
    return torch.arange(n, device=device) % num_classes
