"""The request of a user of ``sample``, and helpers of the writers of all media."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_lightning import LightningModule

from callbacks.base.grids import Picture
from dlmodules.errors import UserError
from dlmodules.protocols import class_count
from dlmodules_cli.options import NUM


@dataclass(frozen=True, eq=False)
class Request:
    """A checkpoint's module, and what to sample from it.

    Args:
        module: in evaluation mode, on the CPU.
        checkpoint: what the file of the checkpoint holds.
        output: the folder to write to; it exists.
        num: how many, 1 or more; None where the user leaves it to the writer.
        label: the requested class, any number; None for none.
        seed: of all random numbers.
        prompt: what a text goes on from, or is written for; None leaves it to the module.
        file: whose lines texts are written for; None for none.
        beam: how many texts a beam search keeps; None draws one, or leaves it to a module of pairs.
        temperature, top_k, top_p, repetition_penalty: how the tokens of a text are chosen, see ``Decoding``.
    """

    module: LightningModule
    checkpoint: dict[str, Any]
    output: Path
    num: int | None = None
    label: int | None = None
    seed: int = 0
    prompt: str | None = None
    file: str | None = None
    beam: int | None = None
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    repetition_penalty: float = 1.0

    @property
    def count(self) -> int:
        """How many to sample: ``num``, or 64 where it is not given."""
        return NUM if self.num is None else self.num

    @property
    def name(self) -> str:
        """The name of the module's class."""
        return type(self.module).__name__

    def generator(self) -> torch.Generator:
        """Return a new generator, seeded with ``seed``."""
        return torch.Generator().manual_seed(self.seed)

    def checked_label(self) -> int | None:
        """Return the requested class, or None.

        Raises:
            UserError: it is none of the module's classes.
        """
        if self.label is None:
            return None
        classes = class_count(self.module)
        if classes is None:
            raise UserError(f"{self.name} is not conditional: leave --label out")
        if not 0 <= self.label < classes:
            raise UserError(f"--label is {self.label}; this {self.name} knows 0..{classes - 1}")
        return self.label


Writer = Callable[[Request], None]
"""Samples what is requested, writes it and prints in one line where it lies. An OSError is the caller's to tell."""


def write_grid(output: Path, grid: Picture, arrays: dict[str, Any]) -> str:
    """Write ``samples.png`` and ``samples.npz`` into ``output``; return where they lie, for a person."""
    from PIL import Image

    picture, raw = output / "samples.png", output / "samples.npz"
    Image.fromarray(grid).save(picture)
    np.savez_compressed(raw, **arrays)
    return f"{picture} and {raw}"
