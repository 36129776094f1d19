"""The labels that are passed to a conditional module."""

from collections.abc import Sequence

import torch
from pytorch_lightning import LightningModule
from torch import Tensor

from dlmodules.errors import UserError
from dlmodules.protocols import Conditional, class_count, is_conditional


def cycled_labels(pl_module: LightningModule, n: int, labels: Sequence[int] | None = None) -> Tensor | None:
    """The labels to pass to ``sample``: ``labels``, repeated in turn, ``(n,)`` int64 on the module's device.

    If ``labels`` is None, a conditional module (``conditional`` is true, of ``num_classes`` classes) gets every
    class in turn; any other module gets None.

    Raises:
        UserError: if labels are given for a module that takes none, or one lies outside its classes.
    """
    classes = class_count(pl_module)
    if labels is None:
        if not is_conditional(pl_module):
            return None
        labels = range(classes or 0)
    name = type(pl_module).__name__
    # One that does not say is asked all the same: its `sample` knows.
    if isinstance(pl_module, Conditional) and not pl_module.conditional:
        raise UserError(f"{name} takes no labels: leave `labels` out")
    wrong = [label for label in labels if label < 0 or (classes is not None and label >= classes)]
    if wrong or not labels:
        last = "the last class" if classes is None else classes - 1
        raise UserError(f"label {wrong[0] if wrong else 'list is empty,'} for {name}: give labels from 0 to {last}")
    return torch.tensor(list(labels), device=pl_module.device).repeat(n // len(labels) + 1)[:n]


def conditions(pl_module: LightningModule, labels: Tensor | None) -> tuple[Tensor, ...]:
    """What ``encode``, ``decode`` and ``reconstruct`` of a conditional module take besides: the labels ``(B, ...)``.

    Of any other module nothing.

    Raises:
        UserError: if the module is conditional and there are no labels.
    """
    if not is_conditional(pl_module):
        return ()
    if labels is None:
        raise UserError(f"{type(pl_module).__name__} is conditional: its images must have labels to be plotted")
    return (labels.to(pl_module.device),)


def repeated(labels: Tensor | None, times: int) -> Tensor | None:
    """Each label ``times`` times in a row, for that many images of one class."""
    return None if labels is None else labels.repeat_interleave(times, dim=0)
