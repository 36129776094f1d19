"""Fields of data: what lies together in a tuple, a dict or alone, in memory and in a batch."""

from collections.abc import MutableMapping, Sequence
from copy import copy
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import override

from dlmodules.errors import UserError

BatchT = TypeVar("BatchT")


class FieldsDataset(Dataset[BatchT], Generic[BatchT]):
    """Fields in memory, batched by one index operation each.

    A ``DataLoader`` that finds ``__getitems__`` asks for a whole batch at once, which is what makes this many times
    faster than one call per row.

    Args:
        fields: a field, or a tuple, named tuple or dict of fields, within each other too. A field has something for
            each of N rows: a tensor ``(N, ...)``, or a list of N things of any kind, such as boxes ``(K, 4)`` with
            another K in each row. A batch has the structure of ``fields``: tensors ``(B, ...)`` and lists of B things.

    Raises:
        UserError: where the fields have not the same number of rows, or there is none.
    """

    def __init__(self, fields: BatchT) -> None:
        lengths = set(_lengths(fields))
        if len(lengths) != 1:
            raise UserError(f"all fields must have the same number of rows; these have {sorted(lengths) or 'no field'}")
        (self._length,) = lengths
        self.fields = fields

    def __len__(self) -> int:
        return self._length

    @override
    def __getitem__(self, index: int) -> BatchT:
        """Return one row: the structure of the fields, without the dimension of the rows."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        row: BatchT = _take(self.fields, index)
        return row

    def __getitems__(self, indices: Sequence[int] | Tensor) -> BatchT:
        """Return a batch of rows, in the order of ``indices``."""
        batch: BatchT = _take(self.fields, torch.as_tensor(indices, dtype=torch.int64))
        return batch


def _lengths(fields: Any) -> list[int]:
    if isinstance(fields, MutableMapping):
        return [length for field in fields.values() for length in _lengths(field)]
    if isinstance(fields, tuple):
        return [length for field in fields for length in _lengths(field)]
    return [len(fields)]


def _take(fields: Any, rows: int | Tensor) -> Any:
    if isinstance(fields, Tensor):
        return fields[rows]
    if isinstance(fields, tuple):
        return _like(fields, [_take(field, rows) for field in fields])
    if isinstance(fields, MutableMapping):
        return {name: _take(field, rows) for name, field in fields.items()}
    return [fields[row] for row in rows.tolist()] if isinstance(rows, Tensor) else fields[rows]


def _like(fields: Any, changed: list[Any]) -> Any:
    """Return ``changed`` as a list, tuple or named tuple such as ``fields``."""
    kind = type(fields)
    return kind(*changed) if kind is not tuple and hasattr(kind, "_fields") else kind(changed)


def transform_first(batch: Any, transform: Any) -> Any:
    """Return ``batch`` with ``transform`` applied to its first field; a tensor is its own.

    The others, and the kind of tuple, list or dict, stay as they are. ``batch`` itself is not changed.
    """
    if isinstance(batch, MutableMapping):
        changed = copy(batch)
        name = next(iter(batch))
        changed[name] = transform(batch[name])
        return changed
    if isinstance(batch, (tuple, list)):
        return _like(batch, [transform(batch[0]), *batch[1:]])
    return transform(batch)
