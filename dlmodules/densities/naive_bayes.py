"""Columns that are independent of each other: a table of frequencies for each."""

from collections.abc import Sequence

import torch
from torch import Tensor
from typing_extensions import override

from dlmodules.densities.base import Density
from dlmodules.densities.categories import check_pseudocount, check_sizes, checked_categories
from dlmodules.protocols import Batch
from dlmodules.sampling.devices import sampling_device
from dlmodules.sampling.examples import example_labels


class NaiveBayes(Density):
    """Categorical columns that are assumed to be independent: 23 free parameters by default.

    The probability of a row is the product of those of its categories. A category that n of N training rows have in
    its column gets ``(n + pseudocount) / (N + pseudocount * categories of the column)``; with the pseudocount 0 that
    is its relative frequency, the maximum likelihood. A row that is rare as a whole but common in its parts is thus
    likely, and rows that were never seen can be sampled; where columns depend on each other, they are still sampled
    independently. It logs what ``Density`` logs.

    Paper: Maron 1961, Automatic Indexing: An Experimental Inquiry, JACM 8.
    Books: foster F1.4.

    Args:
        sizes: number of categories of each column.
        pseudocount: added to the count of every category, 0 or more.

    Raises:
        UserError: an argument out of range, rows that are not ``(B, columns)`` integers in the range of their
            column, more than one process, or a likelihood or sample requested before any row was counted.
    """

    counts: Tensor
    exists: Tensor

    def __init__(self, sizes: Sequence[int] = (7, 6, 3, 4, 8), pseudocount: float = 0.0) -> None:
        super().__init__()
        self.sizes = check_sizes(sizes)
        self.pseudocount = check_pseudocount(pseudocount)
        self.input_shape: tuple[int, ...] = (len(self.sizes),)
        # One row a column, as wide as the widest; what lies beyond a column's own categories stays 0.
        self.register_buffer("counts", torch.zeros(len(self.sizes), max(self.sizes), dtype=torch.int64))
        exists = torch.arange(max(self.sizes)) < torch.tensor(self.sizes)[:, None]
        self.register_buffer("exists", exists, persistent=False)

    @property
    def free_parameters(self) -> int:
        """Probabilities that may be chosen freely: one fewer than categories in each column, as they sum to 1."""
        return sum(self.sizes) - len(self.sizes)

    @override
    def rows(self, x: Tensor) -> Tensor:
        return checked_categories(x, self.sizes, type(self).__name__)

    @override
    def forget(self) -> None:
        self.counts.zero_()

    @override
    def count(self, rows: Tensor) -> None:
        """Count the categories of rows ``(B, columns)``."""
        columns, widest = self.counts.shape
        places = rows + widest * torch.arange(columns, device=rows.device)
        self.counts += torch.bincount(places.flatten(), minlength=columns * widest).view(columns, widest)

    def probabilities(self) -> Tensor:
        """Return a column's probabilities in each row of ``(columns, largest size)``; 0 beyond its categories."""
        self.require_rows()
        added = self.pseudocount * self.exists
        return (self.counts + added) / (self.seen + added.sum(dim=1, keepdim=True))

    @override
    def log_likelihood_of_rows(self, rows: Tensor) -> Tensor:
        """Return the sums ``(B,)`` of the logs of the probabilities in rows ``(B, columns)``."""
        columns = torch.arange(len(self.sizes), device=rows.device)
        return self.probabilities().log()[columns, rows].sum(dim=1)

    @override
    def train_log_likelihood(self) -> Tensor:
        """Return the mean log-likelihood ``()`` of the training rows."""
        return torch.xlogy(self.counts, self.probabilities()).sum() / self.seen

    @override
    def sample_rows(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Sample ``n`` rows ``(n, columns)`` int64."""
        device = sampling_device(generator, self.device)
        table = self.probabilities().to(device)
        return torch.multinomial(table, n, replacement=True, generator=generator).T.contiguous().to(self.device)

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up rows ``(n, columns)`` int64, and labels, which it does not look at."""
        columns = [example_labels(n, size, self.device) for size in self.sizes]
        return torch.stack(columns, dim=1), example_labels(n, 1, self.device)
