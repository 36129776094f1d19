"""Which images of a folder are for training, validation and test."""

from collections.abc import Sequence

import torch
from torch import Tensor

from datamodules.base.in_memory import permutation


def rows_of_splits(
    splits: Sequence[str], val_fraction: float, test_fraction: float, seed: int
) -> tuple[dict[str, Tensor], int]:
    """Return the rows ``(N,)`` int64 of ``train``, ``val`` and ``test``, and of how many they were chosen.

    Args:
        splits: of each row: ``train``, ``val``, ``test``, or empty where that is not told.
        val_fraction: of the rows that are not for validation or test, those for validation where none is told.
        test_fraction: of the same, those for the test.
        seed: of the validation; the rows for the test are the same for each.
    """
    pool = torch.tensor([row for row, split in enumerate(splits) if split in ("train", "")], dtype=torch.int64)
    given = {name: [row for row, split in enumerate(splits) if split == name] for name in ("val", "test")}
    rows, n = {name: torch.tensor(given[name], dtype=torch.int64) for name in given}, len(pool)
    # The test images first, and by a seed of their own: no change of seed may train on them.
    for name, fraction, own_seed in (("test", test_fraction, 0), ("val", val_fraction, seed)):
        if not given[name] and fraction > 0:
            order = permutation(len(pool), own_seed)
            count = max(1, round(n * fraction))
            rows[name], pool = pool[order[:count]], pool[order[count:]]
    return {**rows, "train": pool}, n
