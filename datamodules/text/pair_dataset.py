"""Pairs of token sequences, returned in batches."""

from collections.abc import Sequence

from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import override

from datamodules.text.padded import FlatRows, Tokens
from dlmodules.protocols import Batch


class PairDataset(Dataset[Batch]):
    """Pairs of a source and a target, padded at their ends when a batch is built.

    Args:
        sources: token ids of each source.
        targets: token ids of each target, in the same order.
    """

    def __init__(self, sources: Sequence[Tokens], targets: Sequence[Tokens]) -> None:
        self.sources, self.targets = FlatRows(sources), FlatRows(targets)

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def lengths(self) -> Tensor:
        """How many tokens each pair has, ``(N,)`` int64."""
        return self.sources.lengths + self.targets.lengths

    @override
    def __getitem__(self, index: int) -> Batch:
        """Return the source ``(S,)`` int64 and the target ``(T,)`` int64 of one pair."""
        sources, targets = self.__getitems__([index])
        return sources[0], targets[0]

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """Return sources ``(B, S)`` int64 and targets ``(B, T)`` int64, each padded to its longest."""
        return self.sources.padded(indices), self.targets.padded(indices)
