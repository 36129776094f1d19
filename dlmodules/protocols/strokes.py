"""What a module of handwriting offers, and what data of handwriting tell it."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

NO_POINT = -1.0
"""What stands behind a shorter line of a batch in the place of the pen, which is 0 or 1 at a point."""


@runtime_checkable
class SamplesStrokes(Protocol):
    """Draws new lines of handwriting."""

    def sample_strokes(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Return ``n`` new lines ``(n, T, 3)``: offsets x, y and whether the pen is lifted, -1 behind a shorter one."""
        ...


@runtime_checkable
class WritesText(Protocol):
    """Writes a given text by hand."""

    def write(self, texts: Sequence[str], generator: torch.Generator | None = None) -> Tensor:
        """Return a line for each of ``texts``, ``(B, T, 3)`` as of ``SamplesStrokes``.

        Raises UserError for a text with a character that the module does not know.
        """
        ...


@runtime_checkable
class HasAlphabet(Protocol):
    """Data of handwriting whose characters are known."""

    @property
    def alphabet(self) -> Sequence[str]:
        """What the numbers from 1 on stand for, in their order."""
        ...
