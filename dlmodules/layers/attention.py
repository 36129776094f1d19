"""Causal self-attention in several heads, with a cache of the keys and values that were read."""

from math import sqrt
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.errors import UserError
from dlmodules.layers.positions import Rotary
from dlmodules.validation.arguments import check_at_least_one, check_dropout


class KeysValues(NamedTuple):
    """The keys and values ``(B, heads, T, head_width)`` of the tokens that were read."""

    keys: Tensor
    values: Tensor

    @property
    def length(self) -> int:
        """How many tokens they are of."""
        return self.keys.shape[2]

    def followed_by(self, other: "KeysValues") -> "KeysValues":
        """Return these and those of the tokens behind them."""
        return KeysValues(torch.cat([self.keys, other.keys], 2), torch.cat([self.values, other.values], 2))

    def select(self, rows: Tensor) -> "KeysValues":
        """Return those of some ``rows`` ``(N,)``."""
        return KeysValues(self.keys.index_select(0, rows), self.values.index_select(0, rows))


class CausalSelfAttention(nn.Module):
    """Scaled dot-product attention of each token to itself and to the tokens before it (Vaswani et al. 2017).

    Args:
        width: size of a token, a multiple of ``num_heads``.
        num_heads: heads, each of ``width / num_heads``.
        context: positions that there are.
        dropout: fraction of the weights of attention, and of the output, that are set to 0 in training.
        bias: whether its linear layers have biases.
        rotary: rotate queries and keys by their position (``Rotary``).
        qk_norm: norm queries and keys, each to a root mean square of 1 (Henry et al. 2020), in place of
            trusting their sizes.
        value_residual: mix the values of the first layer into those of this one, in a learned proportion
            (Zhou et al. 2024).

    Raises:
        UserError: ``num_heads`` does not divide ``width``, or a number out of range.
    """

    def __init__(
        self,
        width: int,
        num_heads: int,
        context: int,
        dropout: float = 0.0,
        bias: bool = True,
        rotary: bool = False,
        qk_norm: bool = False,
        value_residual: bool = False,
    ) -> None:
        check_at_least_one(width=width, num_heads=num_heads, context=context)
        check_dropout(dropout)
        if width % num_heads:
            raise UserError(f"width={width} cannot be cut into num_heads={num_heads} of equal size")
        if rotary and width // num_heads % 2:
            raise UserError(f"rotary needs heads of an even size, but width={width} / num_heads={num_heads} is odd")
        super().__init__()
        self.num_heads, self.dropout, self.qk_norm = num_heads, dropout, qk_norm
        self.inputs = nn.Linear(width, 3 * width, bias=bias)
        self.output = nn.Linear(width, width, bias=bias)
        self.rotary = Rotary(width // num_heads, context) if rotary else None
        self.own_values = nn.Parameter(torch.tensor([0.5, 0.5])) if value_residual else None

    def forward(
        self, x: Tensor, first_values: Tensor | None = None, cache: KeysValues | None = None
    ) -> tuple[Tensor, Tensor, KeysValues]:
        """Let the tokens ``x`` ``(B, T, width)`` attend.

        Args:
            x: the tokens, which follow on those of the cache.
            first_values: the values ``(B, heads, T, head_width)`` of the first layer; None in the first layer.
            cache: of the tokens that were read before.

        Returns:
            What they take ``(B, T, width)``, their own values before any mixing, and the cache with them.
        """
        before = 0 if cache is None else cache.length
        queries, keys, values = self._heads(x, before)
        own = values
        if self.own_values is not None and first_values is not None:
            values = self.own_values[0] * values + self.own_values[1] * first_values
        known = KeysValues(keys, values) if cache is None else cache.followed_by(KeysValues(keys, values))
        mask = causal_mask(x.shape[1], before, x.device) if before and x.shape[1] > 1 else None
        found = F.scaled_dot_product_attention(
            queries, known.keys, known.values, mask, self.dropout if self.training else 0.0, is_causal=before == 0
        )
        taken = F.dropout(self.output(found.transpose(1, 2).flatten(2)), self.dropout, self.training)
        return taken, own, known

    def weights(self, x: Tensor) -> Tensor:
        """Return the weights of attention ``(B, num_heads, T, T)`` of ``x`` ``(B, T, width)``, for a picture."""
        queries, keys, _ = self._heads(x, 0)
        scores = queries @ keys.transpose(2, 3) / sqrt(queries.shape[3])
        return scores.masked_fill(~causal_mask(x.shape[1], device=x.device), -torch.inf).softmax(dim=3)

    def _heads(self, x: Tensor, before: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values ``(B, heads, T, head_width)``, those of position ``before`` first."""
        joined = self.inputs(x).unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        queries, keys, values = joined.unbind(0)
        if self.qk_norm:
            queries, keys = (F.rms_norm(part, part.shape[3:]) for part in (queries, keys))
        if self.rotary is not None:
            queries, keys = self.rotary(queries, before), self.rotary(keys, before)
        return queries, keys, values


def causal_mask(length: int, before: int = 0, device: torch.device | None = None) -> Tensor:
    """Return ``(length, before + length)`` bool: true where a token attends to itself or to one that came before.

    ``before`` tokens were read already, and all may attend to them.
    """
    return torch.ones(length, before + length, dtype=torch.bool, device=device).tril(before)
