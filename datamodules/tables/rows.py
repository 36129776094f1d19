"""The base of the data modules of tables: rows in memory, split in three, standardized by the training rows."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from typing_extensions import override

from datamodules.base.fields import FieldsDataset
from datamodules.base.in_memory import InMemoryDataModule, count_of, permutation
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.validation.arguments import check_amounts

Numbers = NDArray[np.float64]
Labels = NDArray[np.int64] | NDArray[np.float64]


class RowDataset(FieldsDataset[Batch]):
    """Rows in memory.

    Args:
        x: ``(N, D)`` float32.
        y: ``(N,)``, int64 classes or float32 values.
    """

    def __init__(self, x: Tensor, y: Tensor) -> None:
        super().__init__((x, y))
        self.x = x
        self.y = y


class RowDataModule(InMemoryDataModule[RowDataset, Batch]):
    """Batches ``(x, y)``: x ``(B, D)`` float32, y ``(B,)`` int64 class indices, or float32 values to predict.

    Training, validation and test rows are disjoint. The test rows are the same for every ``seed``, so that no
    change of seed trains on them. A child sets ``names``, where there are classes, and implements ``load``.

    Args:
        batch_size: rows of a batch, 1 or more.
        val_size: validation rows: a number of them, or a fraction in (0, 1) of the rows that are not for the
            test; 0 for none.
        test_size: test rows: a number of them, or a fraction in (0, 1) of all; 0 for none.
        standardize: give each feature mean 0 and standard deviation 1; both are measured on the training rows.
        **kwargs: of ``InMemoryDataModule``, all but ``train_transform``.

    Raises:
        UserError: for a number out of range, and where no training rows are left.
    """

    names: Sequence[str] = ()

    def __init__(
        self,
        batch_size: int = 32,
        val_size: int | float = 0.2,
        test_size: int | float = 0.2,
        standardize: bool = False,
        **kwargs: Any,
    ) -> None:
        check_amounts(self.unit, val_size=val_size, test_size=test_size)
        self.val_size = val_size
        self.test_size = test_size
        self.standardize = standardize
        super().__init__(batch_size=batch_size, train_transform=None, **kwargs)

    @property
    @override
    def class_names(self) -> list[str]:
        """Names of the classes, in the order of their indices; none where the target is a number."""
        return list(self.names)

    @property
    def feature_names(self) -> list[str]:
        """Names of the columns of ``x``."""
        raise NotImplementedError

    @property
    def input_shape(self) -> tuple[int]:
        """The shape ``(D,)`` of one input."""
        return (len(self.feature_names),)

    def load(self) -> tuple[Numbers, Labels]:
        """Return all rows ``(N, D)``, NaN where a value is missing, and the targets ``(N,)``, int64 or float64."""
        raise NotImplementedError

    @override
    def make_train_and_val(self) -> tuple[RowDataset, RowDataset]:
        return self._sets["train"], self._sets["val"]

    @override
    def make_test(self) -> RowDataset:
        return self._sets["test"]

    @cached_property
    def _sets(self) -> dict[str, RowDataset]:
        x, y = self.load()
        rows = self._split(len(x))
        x = self._filled(x, rows["train"])
        if self.standardize:
            deviation = x[rows["train"]].std(axis=0)
            # A feature that never varies is 0 after the subtraction, whatever it is divided by.
            x = (x - x[rows["train"]].mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
        inputs = torch.from_numpy(x.astype(np.float32))
        targets = torch.from_numpy(y if y.dtype == np.int64 else y.astype(np.float32))
        return {name: RowDataset(inputs[chosen], targets[chosen]) for name, chosen in rows.items()}

    def _split(self, n: int) -> dict[str, Tensor]:
        # The test rows first, and by a seed of their own: no change of seed may train on them.
        order = permutation(n, 0)
        n_test = count_of(n, self.test_size)
        test, pool = order[:n_test], order[n_test:]
        pool = pool[permutation(len(pool), self.seed)]
        n_val = count_of(len(pool), self.val_size)
        if n_val >= len(pool):
            raise UserError(
                f"test_size={self.test_size} and val_size={self.val_size} leave none of the {n} rows to train on"
            )
        return {"train": pool[n_val:], "val": pool[:n_val], "test": test}

    def _filled(self, x: Numbers, train: Tensor) -> Numbers:
        """Put the mean of a feature's training rows where its value is missing."""
        absent = np.isnan(x)
        if not absent.any():
            return x
        known = ~absent[train]
        if not known.any(axis=0).all():
            name = self.feature_names[int(np.argmin(known.any(axis=0)))]
            raise UserError(f"column {name!r} has no value in any training row, so no mean: leave it out of features")
        total = np.where(absent, 0.0, x)[train].sum(axis=0)
        return np.where(absent, total / known.sum(axis=0), x)
