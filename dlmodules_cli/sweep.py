"""``sample --sweep``: a grid of images in which one code changes along each row."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from dlmodules.errors import UserError

FORM = "name=low:high:steps, such as code1=-2:2:8"


class Sweep(NamedTuple):
    """What changes along a row, from where to where, in how many images."""

    name: str
    low: float
    high: float
    steps: int

    @property
    def values(self) -> Tensor:
        """The values ``(steps,)`` in equal steps, both ends among them."""
        return torch.linspace(self.low, self.high, self.steps)


def parse_sweep(text: str) -> Sweep:
    """Read ``name=low:high:steps``. Raises UserError for any other text, and for fewer than 2 steps."""
    name, _, numbers = text.partition("=")
    try:
        low, high, steps = numbers.split(":")
        sweep = Sweep(name.strip(), float(low), float(high), int(steps))
    except ValueError as error:
        raise UserError(f"--sweep {text}: write it as {FORM}") from error
    if not sweep.name or not math.isfinite(sweep.low) or not math.isfinite(sweep.high):
        raise UserError(f"--sweep {text}: write it as {FORM}")
    if sweep.steps < 2:
        raise UserError(f"--sweep {text}: at least 2 steps are needed")
    return sweep
