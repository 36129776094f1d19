"""Fisher's irises, which scikit-learn brings along."""

import numpy as np

from datamodules.tables.rows import Labels, Numbers, RowDataModule


class IrisDataModule(RowDataModule):
    """150 irises of three species: 96 to train, 24 to validate, 30 to test; needs no download.

    x ``(B, 4)`` float32: length and width of sepal and petal in centimetres. y ``(B,)`` int64: 0 setosa,
    1 versicolor, 2 virginica, 50 of each. The 30 test rows are the same for every ``seed``.

    Args:
        batch_size: rows of a batch, 1 or more.
        val_size: validation rows taken from the 120 that are not for the test: a number of them, or a fraction
            in (0, 1); 0 for none.
        standardize: give each feature mean 0 and standard deviation 1; both are measured on the training rows.
        seed: fixes the validation rows and the order of training batches, whatever else draws random numbers.
        num_workers: processes that make batches; 0, in the main process, is fastest for rows in memory.
        drop_last: leave out an epoch's last training batch where it is smaller than the others.
        pin_memory: copy batches to pinned memory, for transfers to a GPU.

    Raises:
        UserError: for a number out of range.
    """

    names = ("setosa", "versicolor", "virginica")

    def __init__(
        self,
        batch_size: int = 16,
        val_size: int | float = 24,
        standardize: bool = False,
        seed: int = 0,
        num_workers: int = 0,
        drop_last: bool = False,
        pin_memory: bool = False,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            val_size=val_size,
            test_size=30,
            standardize=standardize,
            seed=seed,
            num_workers=num_workers,
            drop_last=drop_last,
            pin_memory=pin_memory,
        )

    @property
    def feature_names(self) -> list[str]:
        """The four lengths, in centimetres."""
        return ["sepal_length", "sepal_width", "petal_length", "petal_width"]

    def load(self) -> tuple[Numbers, Labels]:
        """Return all 150 rows."""
        from sklearn.datasets import load_iris

        x, y = load_iris(return_X_y=True)
        return x.astype(np.float64), y.astype(np.int64)
