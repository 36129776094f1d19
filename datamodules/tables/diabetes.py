"""The diabetes study that scikit-learn brings along: a regression."""

import numpy as np

from datamodules.tables.rows import Labels, Numbers, RowDataModule


class DiabetesDataModule(RowDataModule):
    """442 patients with diabetes and how far it went in a year: 283 to train, 71 to validate, 88 to test; no download.

    x ``(B, 10)`` float32: age, sex, body mass index, blood pressure and six blood values (Efron et al. 2004,
    Least angle regression). y ``(B,)`` float32: the progression, from 25 to 346. The test rows are the same for
    every ``seed``.

    Args:
        batch_size: rows of a batch, 1 or more.
        val_size: validation rows: a number of them, or a fraction in (0, 1) of the rows that are not for the
            test; 0 for none.
        test_size: test rows: a number of them, or a fraction in (0, 1) of all; 0 for none.
        standardize: give each feature mean 0 and standard deviation 1; both are measured on the training rows.
        seed: fixes the validation rows and the order of training batches, whatever else draws random numbers.
        num_workers: processes that make batches; 0, in the main process, is fastest for rows in memory.
        drop_last: leave out an epoch's last training batch where it is smaller than the others.
        pin_memory: copy batches to pinned memory, for transfers to a GPU.

    Raises:
        UserError: for a number out of range.
    """

    def __init__(
        self,
        batch_size: int = 32,
        val_size: int | float = 71,
        test_size: int | float = 88,
        standardize: bool = True,
        seed: int = 0,
        num_workers: int = 0,
        drop_last: bool = False,
        pin_memory: bool = False,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            val_size=val_size,
            test_size=test_size,
            standardize=standardize,
            seed=seed,
            num_workers=num_workers,
            drop_last=drop_last,
            pin_memory=pin_memory,
        )

    @property
    def feature_names(self) -> list[str]:
        """Names of the ten measurements."""
        return ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]

    def load(self) -> tuple[Numbers, Labels]:
        """Return all 442 rows, in the units of the study."""
        from sklearn.datasets import load_diabetes

        x, y = load_diabetes(return_X_y=True, scaled=False)
        return x.astype(np.float64), y.astype(np.float64)
