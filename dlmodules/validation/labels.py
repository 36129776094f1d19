"""Checks of class labels."""

from typing import Any

import torch
from torch import Tensor

from dlmodules.errors import UserError
from dlmodules.validation.batches import inputs_and_labels


def with_labels(batch: Any, owner: str) -> tuple[Tensor, Tensor]:
    """Return images and labels of a batch. Raises UserError where it is one of images alone."""
    return inputs_and_labels(batch, f"{owner} is conditional: it needs batches of images and labels")


def refuse_labels(labels: Tensor | None, owner: str) -> None:
    """Raise UserError where ``owner``, which is not conditional, is given labels."""
    if labels is not None:
        raise UserError(f"{owner} is not conditional: it takes no labels")


def check_labels(labels: Tensor | None, n: int, num_classes: int, owner: str) -> Tensor:
    """Return labels ``(n,)`` int64 in ``[0, num_classes)`` as they are.

    Raises UserError where there are no labels, another number of them, or one outside the classes.
    """
    if labels is None:
        raise UserError(f"{owner} is conditional: it needs the labels of the images, one for each")
    if labels.shape != (n,) or labels.is_floating_point():
        raise UserError(f"the labels are {labels.dtype} {list(labels.shape)}; {owner} needs {n} whole numbers")
    if torch.compiler.is_exporting() or len(labels) == 0:  # there are no values to look at
        return labels
    low, high = (int(bound) for bound in labels.aminmax())
    if low < 0 or high >= num_classes:
        raise UserError(
            f"a label is outside 0..{num_classes - 1} (labels here: {low}..{high});"
            " set --model.num_classes or mend the labels"
        )
    return labels
