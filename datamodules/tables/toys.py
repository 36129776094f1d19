"""Small synthetic data sets of points."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from typing_extensions import override

from datamodules.tables.rows import Labels, Numbers, RowDataModule, RowDataset
from dlmodules.errors import UserError


class XORDataModule(RowDataModule):
    """The four points of exclusive or; training, validation and test set are the same four points.

    x ``(B, 2)`` float32: (0, 0), (0, 1), (1, 0), (1, 1). y ``(B,)`` int64: 0, 1, 1, 0. There is nothing held out,
    since there is nothing else: the scores tell what a network can learn, not how it generalizes.

    Args:
        batch_size: points of a batch, 1 or more.
        **kwargs: of ``RowDataModule``, but for the sizes of its sets and ``standardize``.

    Raises:
        UserError: for a number out of range.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {}  # it has four points
    names = ("false", "true")

    def __init__(self, batch_size: int = 1, **kwargs: Any) -> None:
        super().__init__(batch_size=batch_size, val_size=0, test_size=0, standardize=False, **kwargs)

    @property
    @override
    def feature_names(self) -> list[str]:
        """The two inputs."""
        return ["a", "b"]

    def points(self) -> RowDataset:
        """Return all four points."""
        x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        return RowDataset(x, torch.tensor([0, 1, 1, 0]))

    @override
    def make_train_and_val(self) -> tuple[RowDataset, RowDataset]:
        return self.points(), self.points()

    @override
    def make_test(self) -> RowDataset:
        return self.points()


class BoxDataModule(RowDataModule):
    """A function of one number that is ``height`` between two ends and 0 elsewhere: 2,000 points from -10 to 10.

    x ``(B, 1)`` float32, 0.01 apart. y ``(B,)`` float32. The test points are the same for every ``seed``.

    Args:
        left: where the box begins, in (-10, 10).
        right: where it ends, in (-10, 10), more than ``left``.
        height: of the box.
        batch_size: points of a batch, 1 or more.
        val_size: validation points: a number of them, or a fraction in (0, 1) of those that are not for the
            test; 0 for none.
        test_size: test points: a number of them, or a fraction in (0, 1) of all; 0 for none.
        **kwargs: of ``RowDataModule``, all but ``standardize``.

    Raises:
        UserError: for a number out of range.
    """

    def __init__(
        self,
        left: float = -5.0,
        right: float = 5.0,
        height: float = 7.0,
        batch_size: int = 64,
        val_size: int | float = 0.1,
        test_size: int | float = 0.1,
        **kwargs: Any,
    ) -> None:
        if not -10 < left < right < 10:
            raise UserError(f"left is {left} and right is {right}; the box must lie in (-10, 10), left before right")
        super().__init__(batch_size=batch_size, val_size=val_size, test_size=test_size, standardize=False, **kwargs)
        self.left = left
        self.right = right
        self.height = height

    @property
    @override
    def feature_names(self) -> list[str]:
        """The one input."""
        return ["x"]

    @override
    def load(self) -> tuple[Numbers, Labels]:
        x = np.arange(-1000, 1000) / 100
        return x[:, None], np.where((self.left < x) & (x < self.right), self.height, 0.0)


class RingDataModule(RowDataModule):
    """Points on a ring that a normal distribution was bent to: 2,000 of them.

    x ``(B, 2)`` float32 is ``z / 10 + z / |z|`` of standard normal z: what looks like no normal distribution may be a
    simple function of one, which is what a decoder learns. y ``(B,)`` int64 is the quadrant, 0 to 3. The test points
    are the same for every ``seed``.

    Args:
        batch_size: points of a batch, 1 or more.
        val_size: validation points: a number of them, or a fraction in (0, 1) of those that are not for the
            test; 0 for none.
        test_size: test points: a number of them, or a fraction in (0, 1) of all; 0 for none.
        **kwargs: of ``RowDataModule``, all but ``standardize``.

    Raises:
        UserError: for a number out of range.
    """

    names = ("first", "second", "third", "fourth")

    def __init__(
        self, batch_size: int = 64, val_size: int | float = 0.1, test_size: int | float = 0.1, **kwargs: Any
    ) -> None:
        super().__init__(batch_size=batch_size, val_size=val_size, test_size=test_size, standardize=False, **kwargs)

    @property
    @override
    def feature_names(self) -> list[str]:
        """The two coordinates."""
        return ["x", "y"]

    @override
    def load(self) -> tuple[Numbers, Labels]:
        z = np.random.default_rng(0).standard_normal((2000, 2))
        x = z / 10 + z / np.linalg.norm(z, axis=1, keepdims=True)
        quadrant = np.floor(np.arctan2(x[:, 1], x[:, 0]) / (np.pi / 2)).astype(np.int64) % 4
        return x, quadrant
