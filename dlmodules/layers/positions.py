"""Positions of tokens: sinusoids that are added to embeddings, rotations of queries and keys, weights of distances."""

import torch
from torch import Tensor, nn

from dlmodules.validation.arguments import check_at_least_one

BASE = 10_000.0


def sinusoidal_positions(length: int, width: int, base: float = BASE) -> Tensor:
    """Return the positional encodings ``(length, width)`` of Vaswani et al. 2017.

    Columns 2i and 2i + 1 are the sine and the cosine of ``position / base^(2i / width)``: one exponent for both, where
    foster F9.1 prints another for the cosine.
    """
    angles = _angles(length, width, base)
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)[:, :width]


def _angles(length: int, width: int, base: float) -> Tensor:
    """Return the angles ``(length, ceil(width / 2))`` of each position."""
    frequencies = base ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    return (torch.arange(length, dtype=torch.float64)[:, None] * frequencies).float()


class Rotary(nn.Module):
    """Rotate queries or keys by an angle that grows with their position (Su et al. 2021, RoFormer).

    The product of a query and a key then depends on how far they are apart, and not on where they are.

    Args:
        head_width: size of a query, even.
        max_length: positions that there are.
        base: the slowest rotation makes a turn in about ``2 pi base`` positions.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, head_width: int, max_length: int, base: float = BASE) -> None:
        super().__init__()
        self.head_width, self.max_length, self.base = head_width, max_length, base
        angles = _angles(max_length, head_width, base)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, x: Tensor, first: int = 0) -> Tensor:
        """Return ``x`` ``(B, heads, T, head_width)``, its tokens at the positions ``first`` to ``first + T - 1``."""
        length = x.shape[2]
        cos, sin = self.cos[first : first + length], self.sin[first : first + length]
        even, odd = x.chunk(2, dim=3)  # the halves are the two coordinates of each plane
        return torch.cat([even * cos - odd * sin, even * sin + odd * cos], dim=3)


class DistanceBias(nn.Module):
    """What each head adds to its scores by how far a key lies behind or before a query (Raffel et al. 2020, T5).

    It begins at 0. Beyond ``reach`` all distances are alike (Shaw et al. 2018). A head can look at a neighbour as soon
    as a few of its numbers have moved, where embeddings of positions must first be told apart by queries and keys. So
    that they move as far as scores do in as many steps, they are ten times what is trained.

    Args:
        num_heads: heads of the attention.
        reach: largest distance that has a number of its own.
    """

    SCALE = 10.0

    def __init__(self, num_heads: int, reach: int = 64) -> None:
        check_at_least_one(num_heads=num_heads, reach=reach)
        super().__init__()
        self.reach = reach
        self.table = nn.Parameter(torch.zeros(num_heads, 2 * reach + 1))

    def forward(self, length: int) -> Tensor:
        """Return what is added to the scores ``(num_heads, length, length)`` of queries and keys."""
        places = torch.arange(length, device=self.table.device)
        distances = (places - places[:, None]).clamp(-self.reach, self.reach) + self.reach
        return self.SCALE * self.table[:, distances]
