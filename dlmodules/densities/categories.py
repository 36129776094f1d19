"""Checks of columns of categories, for the densities that count them."""

from collections.abc import Sequence
from math import inf

import torch
from torch import Tensor

from dlmodules.errors import UserError


def check_pseudocount(pseudocount: float) -> float:
    """Return ``pseudocount``, or raise the UserError that it is negative or infinite."""
    if not 0 <= pseudocount < inf:
        raise UserError(f"pseudocount is {pseudocount}; it must be 0 or more")
    return float(pseudocount)


def check_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    """Return ``sizes``, or raise the UserError that there is none or one of them is below 1."""
    if not sizes or min(sizes) < 1:
        raise UserError(
            f"sizes are {list(sizes)}; each column must have 1 category or more, and there must be a column"
        )
    return tuple(sizes)


def checked_categories(x: Tensor, sizes: tuple[int, ...], owner: str) -> Tensor:
    """Return rows ``(B, D)`` of integers as int64, or raise the UserError that one is outside ``[0, size)``."""
    if x.is_floating_point() or x.ndim != 2:
        raise UserError(f"{owner} needs rows (B, D) of integer categories, not {x.dtype} {tuple(x.shape)}")
    if x.shape[1] != len(sizes):
        raise UserError(
            f"the rows have {x.shape[1]} columns but {owner} was built for {len(sizes)};"
            " give the number of categories of each column as --model.sizes"
        )
    wrong = (x < 0) | (x >= torch.tensor(sizes, device=x.device))
    if wrong.any():
        row, column = wrong.nonzero()[0].tolist()
        raise UserError(
            f"column {column} has the category {int(x[row, column])}, outside 0..{sizes[column] - 1};"
            " set --model.sizes or mend the rows"
        )
    return x.long()
