"""``sample --traverse``: a grid of images in which one code changes along each row."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from callbacks.base.grids import image_grid
from dlmodules.errors import UserError
from dlmodules.protocols import Traverses, class_count
from dlmodules_cli.options import FORM
from dlmodules_cli.sampling.request import Request, write_grid


class Traversal(NamedTuple):
    """What changes along a row, from where to where, in how many images."""

    name: str
    low: float
    high: float
    steps: int

    @property
    def values(self) -> Tensor:
        """The values ``(steps,)`` in equal steps, both ends among them."""
        return torch.linspace(self.low, self.high, self.steps)


def parse_traversal(text: str) -> Traversal:
    """Read ``name=low:high:steps``. Raises UserError for any other text, and for fewer than 2 steps."""
    name, _, numbers = text.partition("=")
    try:
        low, high, steps = numbers.split(":")
        traversal = Traversal(name.strip(), float(low), float(high), int(steps))
    except ValueError as error:
        raise UserError(f"--traverse {text}: write it as {FORM}") from error
    if not traversal.name or not math.isfinite(traversal.low) or not math.isfinite(traversal.high):
        raise UserError(f"--traverse {text}: write it as {FORM}")
    if traversal.steps < 2:
        raise UserError(f"--traverse {text}: at least 2 steps are needed")
    return traversal


def write_traversal(request: Request, traversal: Traversal) -> None:
    """Write rows of images in which one code changes: ``samples.png`` and ``samples.npz``.

    There are ``num`` rows of the requested class, else of every class in turn; where ``num`` is None, one for
    each class, or one. The file has ``samples (rows, K, C, H, W)``, ``values (K,)`` and for classes ``labels (rows,)``.

    Raises:
        UserError: the module has no codes to change, or not this one or not this class.
    """
    module, num = request.module, request.num
    if not isinstance(module, Traverses):
        raise UserError(f"{request.name} has no codes to change: leave --traverse out")
    label, classes = request.checked_label(), class_count(module)
    labels = None
    if label is not None:
        labels = torch.full((num or 1,), label)
    elif classes is not None:
        labels = torch.arange(num or classes) % classes
    rows = (num or 1) if labels is None else len(labels)
    with torch.no_grad():
        images = module.traverse(traversal.name, traversal.values, rows, labels=labels, generator=request.generator())
    images = images.float().cpu()
    names = None if labels is None else [str(of_row) for of_row in labels.tolist()]
    arrays = {"samples": images.numpy(), "values": traversal.values.numpy()}
    arrays |= {} if labels is None else {"labels": labels.numpy()}
    where = write_grid(request.output, image_grid(images.flatten(0, 1), traversal.steps, row_labels=names), arrays)
    print(
        f"{traversal.name} from {traversal.low:g} to {traversal.high:g}: {where} (array `samples`,"
        f" {tuple(images.shape)}: rows, values, images in [0, 1])"
    )
