"""The uniform density in a box."""

from math import inf

import torch
from torch import Tensor
from typing_extensions import override

from dlmodules.densities.base import Density
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.sampling.devices import sampling_device
from dlmodules.sampling.examples import example_inputs, example_labels
from dlmodules.validation.arguments import check_at_least_one


class BoxDensity(Density):
    """The uniform density in an axis-aligned box: its maximum likelihood is the bounding box of the training points.

    The density is 1 / volume in the box, its border included, and 0 outside. So a box that misses a training point
    has likelihood 0, and of those that miss none the smallest has the largest. It logs what ``Density`` logs; a point
    outside is impossible.

    Paper: Fisher 1922, On the Mathematical Foundations of Theoretical Statistics.
    Books: foster F1.1.

    Args:
        dim: dimensions of the space, 1 or more. A box has twice as many parameters.

    Raises:
        UserError: points ``(B, ...)`` that are not ``(B, dim)`` finite numbers, more than one process, or a likelihood
            or sample requested before any point was counted.
    """

    low: Tensor
    high: Tensor

    def __init__(self, dim: int = 2) -> None:
        super().__init__()
        check_at_least_one(dim=dim)
        self.dim = dim
        self.input_shape = (dim,)
        self.register_buffer("low", torch.full((dim,), inf))
        self.register_buffer("high", torch.full((dim,), -inf))

    @override
    def rows(self, x: Tensor) -> Tensor:
        """Return points ``(B, dim)`` as they are."""
        if x.ndim != 2 or x.shape[1] != self.dim:
            raise UserError(
                f"the points are {list(x.shape[1:])} but {type(self).__name__} was built for --model.dim {self.dim}"
            )
        if not x.isfinite().all():
            raise UserError(f"{type(self).__name__} needs points of finite numbers")
        return x.to(self.low.dtype)

    @override
    def forget(self) -> None:
        self.low.fill_(inf)
        self.high.fill_(-inf)

    @override
    def count(self, rows: Tensor) -> None:
        """Extend the box to points ``(B, dim)``."""
        torch.minimum(self.low, rows.amin(dim=0), out=self.low)
        torch.maximum(self.high, rows.amax(dim=0), out=self.high)

    @override
    def log_likelihood_of_rows(self, rows: Tensor) -> Tensor:
        """Return minus the log of the volume for points in the box, and minus infinity for those outside: ``(B,)``.

        A box without volume, as of a single point, gives plus infinity.
        """
        inside = ((self.low <= rows) & (rows <= self.high)).all(dim=1)
        return torch.where(inside, self.train_log_likelihood(), -inf)

    @override
    def train_log_likelihood(self) -> Tensor:
        """Return minus the log of the volume ``()``, which each training point has."""
        self.require_rows()
        return -(self.high - self.low).log().sum()

    @override
    def sample_rows(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Sample ``n`` points ``(n, dim)``, uniform in the box."""
        self.require_rows()
        device = sampling_device(generator, self.device)
        position = torch.rand(n, self.dim, generator=generator, device=device).to(self.low)
        return self.low + position * (self.high - self.low)

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up points ``(n, dim)`` in [0, 1), and labels, which it does not look at."""
        return example_inputs(n, self.input_shape, self.device), example_labels(n, 1, self.device)
