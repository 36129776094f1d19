"""Fifty faces as rows of five categories, generated to have given frequencies."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from datamodules.images.cartoon_faces import ATTRIBUTES, FREQUENCIES, SIZES, draw_faces, drawn_rows
from datamodules.tables.rows import RowDataModule, RowDataset
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_at_least

FIRST_ROWS = (
    "ShortHairShortFlat Red Round ShirtScoopNeck White",
    "ShortHairFrizzle SilverGray Round Overall White",
    "ShortHairShortFlat Blonde Sunglasses ShirtScoopNeck White",
    "LongHairStraight Red Round ShirtScoopNeck White",
    "NoHair SilverGray Round Overall White",
    "LongHairStraight Black Blank Overall White",
    "LongHairStraight SilverGray Sunglasses Overall White",
    "ShortHairShortFlat SilverGray Round ShirtScoopNeck White",
    "LongHairStraight SilverGray Round Hoodie Pink",
    "LongHairStraight Blonde Round ShirtScoopNeck PastelOrange",
)
TWICE = "LongHairStraight Red Round ShirtScoopNeck White"
NEVER = "LongHairStraight Red Round ShirtScoopNeck Blue01"


class WrodlDataModule(RowDataModule):
    """Fifty faces, each a row of five categories: the hair, its colour, glasses, clothing and its colour.

    x ``(B, 5)`` int64, of 7, 6, 3, 4 and 8 categories. y ``(B,)`` int64, all 0, as there is nothing to predict.
    All fifty are for training.

    The book prints ten of the rows and the frequencies of all. The other forty are generated: one more of the
    combination that the book counts twice, and a fixed shuffle of what is then left in each column, so that the
    frequencies are exact and the combination that the book says never appears does not. But for the printed rows, the
    columns are thus independent of each other. So are those of the validation and test rows: they are drawn anew from
    the frequencies, column by column, and may be equal to training rows. They are the same for every ``seed``.

    Args:
        batch_size: rows of a batch, 1 or more.
        num_held_out: validation rows, and as many test rows; 0 for none.
        **kwargs: of ``RowDataModule``, but for the sizes of its sets and ``standardize``.

    Raises:
        UserError: for a number out of range.
    """

    names = ("face",)

    def __init__(self, batch_size: int = 10, num_held_out: int = 200, **kwargs: Any) -> None:
        super().__init__(batch_size=batch_size, val_size=0, test_size=0, standardize=False, **kwargs)
        check_at_least(0, num_held_out=num_held_out)
        self.num_held_out = num_held_out

    @property
    @override
    def feature_names(self) -> list[str]:
        """The five attributes."""
        return list(ATTRIBUTES)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of categories of each column."""
        return SIZES

    def pictures(self, rows: Tensor) -> Tensor:
        """Draw rows ``(N, 5)`` as faces ``(N, 3, 64, 64)`` float32 in [0, 1]."""
        return draw_faces(rows.cpu()).float() / 255

    @override
    def make_train_and_val(self) -> tuple[RowDataset, RowDataset]:
        return _dataset(fifty_rows()), _dataset(drawn_rows(self.num_held_out, 1))

    @override
    def make_test(self) -> RowDataset:
        return _dataset(drawn_rows(self.num_held_out, 2))


def _dataset(rows: Tensor) -> RowDataset:
    return RowDataset(rows, torch.zeros(len(rows), dtype=torch.int64))


def indices(row: str) -> tuple[int, ...]:
    """Return the categories ``(5,)`` of a row of names with spaces between them.

    Raises:
        UserError: a name that its column does not have.
    """
    found = []
    for (column, values), name in zip(ATTRIBUTES.items(), row.split(), strict=True):
        if name not in values:
            raise UserError(f"{column} has no {name}; it has {', '.join(values)}")
        found.append(values.index(name))
    return tuple(found)


def fifty_rows() -> Tensor:
    """Return the rows ``(50, 5)`` int64: the ten that are printed, then the generated ones."""
    given = np.array([indices(row) for row in (*FIRST_ROWS, TWICE)])
    left = []
    for column, frequencies in enumerate(FREQUENCIES):
        missing = np.array(frequencies) - np.bincount(given[:, column], minlength=len(frequencies))
        left.append(np.repeat(np.arange(len(frequencies)), missing))
    rng = np.random.default_rng(0)
    unwanted = [indices(row) for row in (TWICE, NEVER)]
    while True:
        made = np.stack([rng.permutation(column) for column in left], axis=1)
        if not any((made == row).all(axis=1).any() for row in unwanted):
            return torch.from_numpy(np.concatenate([given, made])).long()
