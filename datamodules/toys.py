"""Data of a few points, made here."""

import torch

from .rows import RowDataModule, RowDataset


class XORDataModule(RowDataModule):
    """The four points of exclusive or; training, validation and test set are the same four points.

    x ``(B, 2)`` float32: (0, 0), (0, 1), (1, 0), (1, 1). y ``(B,)`` int64: 0, 1, 1, 0. There is nothing held out,
    since there is nothing else: the scores tell what a network can learn, not how it generalizes.

    Args:
        batch_size: points of a batch, 1 or more.
        seed: fixes the order of training batches, whatever else draws random numbers.
        num_workers: processes that make batches; 0, in the main process, is fastest.
        drop_last: leave out an epoch's last training batch where it is smaller than the others.
        pin_memory: copy batches to pinned memory, for transfers to a GPU.

    Raises:
        UserError: for a number out of range.
    """

    names = ("false", "true")

    def __init__(
        self,
        batch_size: int = 1,
        seed: int = 0,
        num_workers: int = 0,
        drop_last: bool = False,
        pin_memory: bool = False,
    ) -> None:
        super().__init__(
            batch_size=batch_size, seed=seed, num_workers=num_workers, drop_last=drop_last, pin_memory=pin_memory
        )

    @property
    def feature_names(self) -> list[str]:
        """The two inputs."""
        return ["a", "b"]

    def points(self) -> RowDataset:
        """Return all four points."""
        x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        return RowDataset(x, torch.tensor([0, 1, 1, 0]))

    def make_train_and_val(self) -> tuple[RowDataset, RowDataset]:
        """Return the four points twice."""
        return self.points(), self.points()

    def make_test(self) -> RowDataset:
        """Return the four points."""
        return self.points()
