"""A text as one array of token ids, cut into rows."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import override

from dlmodules.protocols import Batch

Tokens = npt.NDArray[np.int32]


class WordRows(Dataset[Tensor]):
    """Rows of a text, each as token ids and the numbers of the texts that they are from.

    Args:
        tokens: ``(N,)``, the token ids of all texts, one after the other; it is not copied.
        texts: ``(N,)``, the number of the text of each.
        row_length: words of a row.
        rows: which rows of the text these are; None for all.
    """

    def __init__(self, tokens: Tokens, texts: Tokens, row_length: int, rows: Tensor | None = None) -> None:
        self.tokens, self.texts, self.row_length = tokens, texts, row_length
        self.rows = torch.arange(-(-len(tokens) // row_length)) if rows is None else rows

    def __len__(self) -> int:
        return len(self.rows)

    @override
    def __getitem__(self, index: int) -> Tensor:
        """Return a row ``(2, L)``: token ids and numbers of texts."""
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        """Return rows ``(R, 2, L)`` int64; the text's last row ends with padding."""
        starts = self.rows.numpy().take(np.asarray(indices)) * self.row_length
        places = starts[:, None] + np.arange(self.row_length)
        inside = places < len(self.tokens)
        tokens = np.where(inside, self.tokens.take(places, mode="clip"), 0)
        return torch.from_numpy(np.stack([tokens, self.texts.take(places, mode="clip")], axis=1).astype(np.int64))


class FixedContexts(Dataset[Batch]):
    """Centers and contexts of rows, drawn once and for all, for validation and test.

    Args:
        rows: the rows.
        draw: makes centers and contexts of rows ``(R, 2, L)``, with torch's own random numbers.
    """

    def __init__(self, rows: WordRows, draw: Callable[[Tensor], Batch]) -> None:
        self.rows, self.draw = rows, draw

    def __len__(self) -> int:
        return len(self.rows)

    @override
    def __getitem__(self, index: int) -> Batch:
        """Return the centers ``(N,)`` of a row and their contexts ``(N, C)``."""
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """Return the centers ``(N,)`` of rows and their contexts ``(N, C)``."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(indices[0]))
            return self.draw(self.rows.__getitems__(indices))
