"""Texts in memory as one flat tensor of token ids, returned in batches."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import override

from datamodules.text.padded import FlatRows, Padding, Tokens
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.sequences.vocabulary import UNKNOWN


class TextDataset(Dataset[Batch]):
    """Texts of any length as one flat tensor and the offsets of its texts; a batch is padded when it is built.

    Args:
        texts: the token ids of each text; a text of none becomes one unknown word.
        labels: ``(N,)`` int64.
        num_classes: labels must lie in ``[0, num_classes)``.
        max_length: longer texts lose their first tokens, as with Keras' ``pad_sequences``; None keeps all.
        pad_to: length that every batch is padded to; None, its longest text's.
        padding: whether the padding comes before the text (Keras' default) or after it.

    Raises:
        UserError: where labels and texts do not match, or a label is out of range.
    """

    def __init__(
        self,
        texts: Sequence[Tokens],
        labels: Tensor,
        num_classes: int,
        max_length: int | None = None,
        pad_to: int | None = None,
        padding: Padding = "front",
    ) -> None:
        if labels.dtype != torch.int64 or labels.shape != (len(texts),):
            wanted = f"int64 ({len(texts)},), one per text"
            raise UserError(f"labels must be {wanted}, not {labels.dtype} {tuple(labels.shape)}")
        bad = (labels < 0) | (labels >= num_classes)
        if bad.any():
            row = int(bad.nonzero()[0])
            raise UserError(
                f"label {int(labels[row])} of text {row} is out of range; labels are 0 to {num_classes - 1}"
            )
        unknown = np.array([UNKNOWN], dtype=np.int32)
        self.texts = FlatRows([text if len(text) > 0 else unknown for text in texts])
        self.labels = labels.contiguous()
        self.num_classes = num_classes
        self.max_length = max_length
        self.pad_to = pad_to
        self.padding = padding

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def lengths(self) -> Tensor:
        """How many tokens of each text, ``(N,)``, a batch can hold."""
        lengths = self.texts.lengths
        return lengths if self.max_length is None else lengths.clamp(max=self.max_length)

    def by_length(self) -> "TextDataset":
        """Return the same texts in the order of their lengths, in which batches need the least padding."""
        order = torch.argsort(self.lengths, stable=True).tolist()
        texts = self.texts.rows()
        return TextDataset(
            [texts[row] for row in order],
            self.labels[order],
            self.num_classes,
            self.max_length,
            self.pad_to,
            self.padding,
        )

    @override
    def __getitem__(self, index: int) -> Batch:
        """Return the token ids of one text, ``(T,)`` int64, and its label ``()`` int64."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"text {index} of {len(self)}")
        tokens, labels = self.__getitems__([index % len(self)])
        return tokens[0], labels[0]

    def __getitems__(self, indices: Sequence[int] | Tensor) -> Batch:
        """Return token ids ``(B, T)`` int64, padded, and labels ``(B,)`` int64."""
        tokens = self.texts.padded(indices, self.padding, self.max_length, self.pad_to)
        return tokens, torch.from_numpy(self.labels.numpy().take(np.asarray(indices, dtype=np.int64)))
