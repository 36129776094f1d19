"""Class labels drawn at random, and as one-hot vectors."""

import torch
from torch import Tensor
from torch.nn import functional as F

from dlmodules.sampling.devices import sampling_device


def one_hot(labels: Tensor, num_classes: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return labels ``(B,)`` as one-hot vectors ``(B, num_classes)``."""
    return F.one_hot(labels, num_classes).to(dtype)


def sample_labels(n: int, num_classes: int, generator: torch.Generator | None, device: torch.device) -> Tensor:
    """Return ``n`` labels on ``device``, each class as probable as another; ``generator`` draws on its own device."""
    return torch.randint(num_classes, (n,), generator=generator, device=sampling_device(generator, device)).to(device)
