"""What a module of rows of numbers or categories offers."""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


@runtime_checkable
class SamplesRows(Protocol):
    """Samples new rows of numbers or categories, or points."""

    def sample_rows(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Return ``n`` new rows ``(n, D)``."""
        ...
