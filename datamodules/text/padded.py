"""Rows of different lengths out of one flat array, padded to a batch."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from dlmodules.protocols import PAD

Padding = Literal["front", "back"]
Tokens = npt.NDArray[np.int32]


class FlatRows:
    """Rows of token ids of any length, one behind the other.

    Args:
        rows: the token ids of each.
    """

    def __init__(self, rows: Sequence[Tokens]) -> None:
        self.tokens = torch.from_numpy(np.concatenate(rows) if rows else np.empty(0, dtype=np.int32))
        self.offsets = torch.tensor([0, *(len(row) for row in rows)]).cumsum(0)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Tensor:
        """How long each row is, ``(N,)`` int64."""
        return self.offsets.diff()

    def rows(self) -> list[Tokens]:
        """Return the token ids of each row."""
        return np.split(self.tokens.numpy(), self.offsets[1:-1].numpy()) if len(self) else []

    def padded(
        self,
        indices: Sequence[int] | Tensor,
        padding: Padding = "back",
        max_length: int | None = None,
        width: int | None = None,
    ) -> Tensor:
        """Return some rows ``(B, T)`` int64, filled up with 0.

        Args:
            indices: which rows.
            padding: whether the padding comes before a row or after it.
            max_length: of a longer row the last tokens are returned, so many.
            width: T; None for the length of the longest.
        """
        rows = np.asarray(indices, dtype=np.int64)
        ends = self.offsets.numpy().take(rows + 1)
        lengths = ends - self.offsets.numpy().take(rows)
        if max_length is not None:
            lengths = np.minimum(lengths, max_length)
        width = int(lengths.max()) if width is None else width
        # Where each token of the batch lies in the flat run; what lies outside of its row is padding.
        first = ends - (width if padding == "front" else lengths)
        places = first[:, None] + np.arange(width)
        inside = (places >= (ends - lengths)[:, None]) & (places < ends[:, None])
        tokens = self.tokens.numpy().take(places, mode="clip")
        return torch.from_numpy(np.where(inside, tokens, PAD).astype(np.int64))
