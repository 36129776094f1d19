"""Lines of handwriting, returned in padded batches."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import override

from datamodules.strokes.drawings import Line, to_offsets
from dlmodules.protocols import NO_POINT, PAD, Batch


class StrokeDataset(Dataset[Batch]):
    """Lines of handwriting and what is written in them.

    Args:
        lines: the lines; each has two points or more.
        scale: by which offsets are divided.
    """

    def __init__(self, lines: Sequence[Line], scale: float = 1.0) -> None:
        offsets = [to_offsets(line.strokes) for line in lines]
        texts = [np.asarray(line.characters, dtype=np.int64) for line in lines]
        self.lengths = torch.tensor([len(part) for part in offsets], dtype=torch.int64)
        self.text_lengths = torch.tensor([len(text) for text in texts], dtype=torch.int64)
        self._starts, self._text_starts = _starts(self.lengths), _starts(self.text_lengths)
        self._points = torch.from_numpy(np.concatenate([*offsets, np.zeros((1, 3), np.float32)]))
        self._points[:, :2] /= scale
        self._characters = torch.from_numpy(np.concatenate([*texts, np.zeros(1, np.int64)]))

    def __len__(self) -> int:
        return len(self.lengths)

    @override
    def __getitem__(self, index: int) -> Batch:
        """Return the strokes ``(T, 3)`` of a line and its characters ``(L,)`` int64."""
        strokes, text = self.__getitems__([index])
        return strokes[0], text[0]

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """Return strokes ``(B, T, 3)`` float32 and characters ``(B, L)`` int64, each padded to the longest."""
        rows = torch.as_tensor(indices)
        places, inside = _places(self._starts[rows], self.lengths[rows])
        strokes = self._points[places]
        strokes[~inside] = torch.tensor([0.0, 0.0, NO_POINT])
        places, inside = _places(self._text_starts[rows], self.text_lengths[rows])
        return strokes, self._characters[places].masked_fill(~inside, PAD)


def _starts(lengths: Tensor) -> Tensor:
    return lengths.cumsum(0) - lengths


def _places(starts: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Return where each element of a padded batch lies in the flat run, and which of them are inside of their rows."""
    within = torch.arange(int(lengths.max()))
    inside = within < lengths[:, None]
    return (starts[:, None] + within).where(inside, torch.tensor(0)), inside
