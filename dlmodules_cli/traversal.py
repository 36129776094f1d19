"""``sample --traverse``: a grid of images in which one code changes along each row."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from dlmodules.errors import UserError

FORM = "name=low:high:steps, such as code1=-2:2:8"


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
