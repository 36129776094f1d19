"""One probability for every combination of categories."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor
from typing_extensions import override

from dlmodules.densities.base import Density
from dlmodules.densities.categories import check_pseudocount, check_sizes, checked_categories
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.sampling.devices import sampling_device
from dlmodules.sampling.examples import example_labels

MOST = 2**24  # combinations that torch.multinomial can draw from


class Multinomial(Density):
    """The joint distribution of categorical columns: a probability for every combination, 4,032 of them by default.

    A combination that n of N training rows have gets ``(n + pseudocount) / (N + pseudocount * combinations)``. With
    the pseudocount 0 that is its relative frequency, the maximum likelihood; with 1 or more no combination is
    impossible, and all that were never seen have the same probability. It logs what ``Density`` logs.

    Paper: Lidstone 1920, Note on the General Case of the Bayes-Laplace Formula for Inductive or a Posteriori
        Probabilities.
    Books: foster F1.2, foster F1.3.

    Args:
        sizes: number of categories of each column; at most 2^24 combinations in all.
        pseudocount: added to the count of every combination, 0 or more.

    Raises:
        UserError: an argument out of range, rows that are not ``(B, columns)`` integers in the range of their
            column, more than one process, or a likelihood or sample requested before any row was counted.
    """

    counts: Tensor

    def __init__(self, sizes: Sequence[int] = (7, 6, 3, 4, 8), pseudocount: float = 0.0) -> None:
        super().__init__()
        self.sizes = check_sizes(sizes)
        self.pseudocount = check_pseudocount(pseudocount)
        if prod(self.sizes) > MOST:
            raise UserError(
                f"{len(self.sizes)} columns have more than {MOST:,} combinations, too many for a table of all:"
                " use NaiveBayes, or fewer columns"
            )
        self.input_shape = (len(self.sizes),)
        self.register_buffer("counts", torch.zeros(self.sizes, dtype=torch.int64))

    @property
    def free_parameters(self) -> int:
        """Probabilities that may be chosen freely: one fewer than combinations, as they sum to 1."""
        return prod(self.sizes) - 1

    @override
    def rows(self, x: Tensor) -> Tensor:
        return checked_categories(x, self.sizes, type(self).__name__)

    @override
    def forget(self) -> None:
        self.counts.zero_()

    @override
    def count(self, rows: Tensor) -> None:
        """Count the combinations of rows ``(B, columns)``."""
        self.counts += torch.bincount(self._index(rows), minlength=self.counts.numel()).view(self.sizes)

    def _index(self, rows: Tensor) -> Tensor:
        """Number the combinations of rows ``(B, columns)`` as ``(B,)``, the last column fastest."""
        index = torch.zeros_like(rows[:, 0])
        for column, size in enumerate(self.sizes):
            index = index * size + rows[:, column]
        return index

    def probabilities(self) -> Tensor:
        """Return the probabilities of all combinations, of the shape ``sizes``."""
        self.require_rows()
        return (self.counts + self.pseudocount) / (self.seen + self.pseudocount * self.counts.numel())

    @override
    def log_likelihood_of_rows(self, rows: Tensor) -> Tensor:
        """Return the logs ``(B,)`` of the probabilities of rows ``(B, columns)``."""
        return self.probabilities().flatten()[self._index(rows)].log()

    @override
    def train_log_likelihood(self) -> Tensor:
        """Return the mean log-likelihood ``()`` of the training rows."""
        return torch.xlogy(self.counts, self.probabilities()).sum() / self.seen

    @override
    def sample_rows(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Sample ``n`` rows ``(n, columns)`` int64."""
        device = sampling_device(generator, self.device)
        table = self.probabilities().flatten().to(device)
        index = torch.multinomial(table, n, replacement=True, generator=generator).to(self.device)
        return torch.stack(torch.unravel_index(index, self.sizes), dim=1)

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up rows ``(n, columns)`` int64, and labels, which it does not look at."""
        columns = [example_labels(n, size, self.device) for size in self.sizes]
        return torch.stack(columns, dim=1), example_labels(n, 1, self.device)
