"""Class labels as written in a file, and their indices."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from dlmodules.errors import UserError


def labels_of(names: Sequence[str], labels: Sequence[str], places: Sequence[str]) -> Tensor:
    """Return the indices ``(N,)`` int64 of written labels, each a class's name or index.

    ``places`` says where each was found. Raises UserError for a label that is neither.
    """
    indices = {str(index): index for index in range(len(names))} | {name: index for index, name in enumerate(names)}
    found = np.empty(len(labels), dtype=np.int64)
    for row, label in enumerate(labels):
        if label not in indices:
            allowed = f"0 to {len(names) - 1}, or {', '.join(names)}"
            raise UserError(f"{places[row]}: the label {label!r} is out of range; labels are {allowed}")
        found[row] = indices[label]
    return torch.from_numpy(found)


def sorted_labels(labels: Sequence[str]) -> list[str]:
    """Return the distinct labels, sorted as numbers where all of them are."""
    found = set(labels)
    return sorted(found, key=int) if all(label.isdecimal() for label in found) else sorted(found)
