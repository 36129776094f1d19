"""Fisher's irises, which come with scikit-learn."""

from typing import Any

import numpy as np
from typing_extensions import override

from datamodules.tables.rows import Labels, Numbers, RowDataModule


class IrisDataModule(RowDataModule):
    """150 irises of three species: 96 to train, 24 to validate, 30 to test; needs no download.

    x ``(B, 4)`` float32: length and width of sepal and petal in centimetres. y ``(B,)`` int64: 0 setosa,
    1 versicolor, 2 virginica, 50 of each. The 30 test rows are the same for every ``seed``.

    Args:
        batch_size: rows of a batch, 1 or more.
        val_size: validation rows of the 120 that are not for the test: a number, or a fraction in (0, 1); 0 for none.
        **kwargs: of ``RowDataModule``, whose errors are raised.
    """

    names = ("setosa", "versicolor", "virginica")

    def __init__(self, batch_size: int = 16, val_size: int | float = 24, **kwargs: Any) -> None:
        super().__init__(batch_size=batch_size, val_size=val_size, test_size=30, **kwargs)

    @property
    @override
    def feature_names(self) -> list[str]:
        """The four lengths, in centimetres."""
        return ["sepal_length", "sepal_width", "petal_length", "petal_width"]

    @override
    def load(self) -> tuple[Numbers, Labels]:
        from sklearn.datasets import load_iris

        x, y = load_iris(return_X_y=True)
        return x.astype(np.float64), y.astype(np.int64)
