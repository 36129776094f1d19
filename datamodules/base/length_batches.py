"""Training batches of rows of similar length: little padding, and a different order in every epoch."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset, DistributedSampler
from typing_extensions import override

WINDOW = 50  # batches; a window that holds a whole epoch would make nearly the same batches in every one


class LengthSampler(DistributedSampler[Any]):
    """Sort big windows of a permutation by length, cut them into batches, and shuffle the batches.

    The order is a function of (seed, epoch) alone. An epoch's last, smaller batch is of rows drawn at random.

    Args:
        dataset: what is sampled from.
        lengths: ``(N,)``, the length of each row.
        batch_size: rows of a batch; the loader's own must be the same.
        window: batches that are sorted together.
        **kwargs: of ``DistributedSampler``.
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        lengths: npt.NDArray[np.int64],
        batch_size: int,
        window: int = WINDOW,
        **kwargs: Any,
    ) -> None:
        super().__init__(dataset, **kwargs)
        self.lengths = lengths
        self.batch_size = batch_size
        self.window = window

    @override
    def __iter__(self) -> Iterator[Any]:
        rows = np.fromiter(super().__iter__(), dtype=np.int64)
        whole = len(rows) - len(rows) % self.batch_size
        rest, size = rows[whole:], self.batch_size * self.window
        for start in range(0, whole, size):
            window = rows[start : min(start + size, whole)]
            rows[start : start + len(window)] = window[np.argsort(self.lengths[window], kind="stable")]
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        batches = torch.randperm(whole // self.batch_size, generator=generator).numpy()
        ordered = rows[:whole].reshape(-1, self.batch_size)[batches].reshape(-1)
        return iter([*ordered.tolist(), *rest.tolist()])
