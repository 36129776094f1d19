"""What a batch holds, whatever form the loader gives it."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from dlmodules.errors import UserError

# The names that data sets give to their columns, those of Hugging Face included.
INPUT_KEYS = ("image", "images", "img", "pixel_values", "input", "inputs", "input_ids", "x")
LABEL_KEYS = ("label", "labels", "target", "targets", "y")


def fields_of(batch: Any) -> tuple[Tensor, ...]:
    """Return the tensors of a batch, inputs first and then labels where it has some.

    A batch is a tensor of inputs, a tuple or list that starts with them, or a dictionary that has them under one of
    ``INPUT_KEYS`` and labels under one of ``LABEL_KEYS``. Raises UserError for any other.
    """
    if isinstance(batch, Tensor):
        return (batch,)
    if isinstance(batch, Mapping):
        return _of_keys(batch)
    if isinstance(batch, (tuple, list)) and batch and isinstance(batch[0], Tensor):
        return tuple(batch)
    raise UserError(f"a batch is {_told(batch)}; it must be a tensor, or a tuple or dictionary of tensors")


def parts_of(batch: Any, names: Sequence[str]) -> tuple[Tensor, ...]:
    """Return the tensors of a batch that has parts of its own: a tuple of them, or a dictionary by their ``names``.

    Of a dictionary those that are there, in the order of ``names``; it must have the first two. Raises UserError for
    any other batch, as ``fields_of`` does.
    """
    if isinstance(batch, Mapping) and set(names[:2]) <= batch.keys():
        return fields_of([batch[name] for name in names if name in batch])
    return fields_of(batch)


def inputs_in(fields: tuple[Tensor, ...]) -> Tensor:
    """Return the inputs ``(B, ...)``, of double precision only where that is torch's default."""
    inputs = fields[0]
    return inputs.to(torch.get_default_dtype()) if inputs.dtype == torch.float64 else inputs


def labels_in(fields: tuple[Tensor, ...]) -> Tensor | None:
    """Return the labels ``(B, ...)``, whole numbers as int64; None where there are none."""
    if len(fields) < 2:
        return None
    labels = fields[1]
    is_whole = not (labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool)
    return labels.long() if is_whole else labels


def inputs_and_labels(batch: Any, lacking: str) -> tuple[Tensor, Tensor]:
    """Return inputs and labels of a batch. Raises UserError, which says ``lacking``, where it has no labels."""
    fields = fields_of(batch)
    labels = labels_in(fields)
    if labels is None:
        raise UserError(lacking)
    return inputs_in(fields), labels


def _of_keys(batch: Mapping[Any, Any]) -> tuple[Tensor, ...]:
    found = [next((key for key in keys if key in batch), None) for keys in (INPUT_KEYS, LABEL_KEYS)]
    if found[0] is None:
        raise UserError(
            f"a batch has the keys {', '.join(map(str, batch))}; name its inputs one of {', '.join(INPUT_KEYS)}"
        )
    for key in found:
        if key is not None and not isinstance(batch[key], Tensor):
            raise UserError(
                f"{key!r} of a batch is {_told(batch[key])} and no tensor: a Hugging Face data set gives tensors"
                " after .with_format('torch')"
            )
    return tuple(batch[key] for key in found if key is not None)


def _told(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
