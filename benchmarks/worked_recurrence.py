"""The tables of ``docs/systems/counting_rnn.md``, by running the code: ``python -m benchmarks.worked_recurrence``.

They stand between marks in the page; a test fails where they are out of date.
"""

from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks import worked_page
from benchmarks.programs.gradient_distance_figure import CELLS, gradient_norms
from benchmarks.record import ROOT
from benchmarks.worked_page import table
from datamodules.text.bit_counts import BitSequence, book_sequence
from dlmodules.text.backpropagation_through_time import gradients

PAGE = ROOT / "docs" / "systems" / "counting_rnn.md"
EPOCHS = (0, 10, 20, 22, 23, 24, 25, 26, 27, 100, 149)
DISTANCES = (0, 1, 5, 10, 20, 50, 100)
SEQUENCES: dict[str, BitSequence] = {"10 bits": "ten", "40 bits": "forty", "41 bits": "forty_one"}


def descents() -> str:
    """Return loss and weights of the book's program at some epochs, for its three sequences."""
    runs = [_descent(name) for name in SEQUENCES.values()]
    head = ["epoch", *(f"{bits}: {what}" for bits in SEQUENCES for what in ("loss", "U, W"))]
    rows = [[str(epoch), *(cell for run in runs for cell in run[epoch])] for epoch in EPOCHS]
    return table(head, rows)


def _descent(name: BitSequence, rate: float = 0.0005) -> list[tuple[str, str]]:
    """Return the loss of each epoch, and the weights that have it, in words."""
    x, y = (tensor.double() for tensor in book_sequence(name))
    u, w = torch.tensor(-2.0, dtype=torch.float64), torch.tensor(0.0, dtype=torch.float64)
    found = []
    for _ in range(max(EPOCHS) + 1):
        loss, of_u, of_w = gradients(x, y, u, w)
        found.append((f"{loss:.4g}", f"{u:.4g}, {w:.4g}"))
        u, w = u - rate * of_u, w - rate * of_w
    return found


def powers() -> str:
    """Return the books' two powers of a weight."""
    rows = [(f"{weight:g}", str(steps), f"{weight**steps:.3g}") for weight, steps in ((1.5, 50), (0.6, 20))]
    return table(("W", "steps m", "W^m"), rows)


def cells() -> str:
    """Return the relative norms of the gradient in untrained cells at some distances."""
    rows = []
    for name, make in CELLS.items():
        norms = gradient_norms(make)
        rows.append([name, *(f"{norms[distance]:.2g}" for distance in DISTANCES)])
    return table(("cell", *(f"m = {distance}" for distance in DISTANCES)), rows)


PARTS: dict[str, Callable[[], str]] = {"descents": descents, "powers": powers, "cells": cells}
"""What the page shows, each between two marks."""


def written_anew(page: str) -> str:
    """Return the page with every part as it is now."""
    return worked_page.written_anew(page, PARTS, "benchmarks.worked_recurrence")


def main(path: Path = PAGE) -> None:
    """Write the parts of the page."""
    path.write_text(written_anew(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
