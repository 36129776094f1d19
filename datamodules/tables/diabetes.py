"""The diabetes study that comes with scikit-learn: a regression."""

from typing import Any

import numpy as np
from typing_extensions import override

from datamodules.tables.rows import Labels, Numbers, RowDataModule


class DiabetesDataModule(RowDataModule):
    """442 patients with diabetes and how far it went in a year: 283 to train, 71 to validate, 88 to test; no download.

    x ``(B, 10)`` float32: age, sex, body mass index, blood pressure, six blood values (Efron et al. 2004, Least angle
    regression). y ``(B,)`` float32: the progression, from 25 to 346. The test rows are the same for every ``seed``.

    Args:
        val_size: validation rows of those that are not for the test: a number, or a fraction in (0, 1); 0 for none.
        test_size: test rows: a number of them, or a fraction in (0, 1) of all; 0 for none.
        standardize: give each feature mean 0 and standard deviation 1; both are measured on the training rows.
        **kwargs: of ``RowDataModule``, whose errors are raised.
    """

    def __init__(
        self, *, val_size: int | float = 71, test_size: int | float = 88, standardize: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(val_size=val_size, test_size=test_size, standardize=standardize, **kwargs)

    @property
    @override
    def feature_names(self) -> list[str]:
        return ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]

    @override
    def load(self) -> tuple[Numbers, Labels]:
        from sklearn.datasets import load_diabetes

        x, y = load_diabetes(return_X_y=True, scaled=False)
        return x.astype(np.float64), y.astype(np.float64)
