"""The layers of a Transformer that reads from left to right."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.layers.attention import CausalSelfAttention, KeysValues
from dlmodules.validation.arguments import check_at_least_one

Norm = Literal["layer", "rms"]
Activation = Literal["gelu", "exact_gelu", "squared_relu", "relu"]


class LayerState(NamedTuple):
    """What a layer keeps of the tokens that were read.

    Args:
        known: their keys and values.
        last: the last of them, ``(B, 1, width)``, as attention reads it and as the feed-forward network does, for a
            layer that looks back at it; else None.
    """

    known: KeysValues
    last: tuple[Tensor, Tensor] | None

    def select(self, rows: Tensor) -> "LayerState":
        """Return that of some ``rows`` ``(N,)``."""
        last = self.last
        chosen = None if last is None else (last[0].index_select(0, rows), last[1].index_select(0, rows))
        return LayerState(self.known.select(rows), chosen)


class TokenShift(nn.Module):
    """Mixes the token before into each one, in a learned proportion for each channel that begins at 0.

    Before the first token stands 0 (Peng et al. 2023, RWKV).

    Args:
        width: size of a token.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.share = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor, last: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return mixed tokens ``(B, T, width)``, and the last of ``x``, ``(B, 1, width)``, for those that follow."""
        start = torch.zeros_like(x[:, :1]) if last is None else last
        before = torch.cat([start, x[:, :-1]], dim=1)
        return torch.addcmul(x, self.share, before - x), x[:, -1:]


class FeedForward(nn.Module):
    """Two linear layers over each token by itself.

    Args:
        width: size of a token.
        activation: ``gelu``, in the approximation by a tanh that GPT-2 has, ``exact_gelu``, ``squared_relu`` (So et al.
            2021), or ``relu``.
        dropout: fraction of the output that is set to 0 in training.
        bias: whether the linear layers have biases.
        hidden_width: how wide it is between the layers; None for four times ``width``.
    """

    def __init__(
        self,
        width: int,
        activation: Activation = "gelu",
        dropout: float = 0.0,
        bias: bool = True,
        hidden_width: int | None = None,
    ) -> None:
        check_at_least_one(width=width, hidden_width=hidden_width)
        super().__init__()
        self.activation, self.dropout = activation, dropout
        self.hidden = nn.Linear(width, hidden_width or 4 * width, bias=bias)
        self.output = nn.Linear(hidden_width or 4 * width, width, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens ``(B, T, width)`` to the same shape."""
        hidden = self.hidden(x)
        if self.activation in ("gelu", "exact_gelu"):
            hidden = F.gelu(hidden, approximate="tanh" if self.activation == "gelu" else "none")
        else:
            hidden = F.relu(hidden)
            hidden = hidden.square() if self.activation == "squared_relu" else hidden
        return F.dropout(self.output(hidden), self.dropout, self.training)


class TransformerLayer(nn.Module):
    """Attention, then a feed-forward network, each on normed tokens and added to them (pre-norm).

    Args:
        width: size of a token.
        num_heads: heads of the attention.
        context: positions that there are.
        dropout: fraction of values that are set to 0 in training.
        bias: whether linear layers and norms have biases.
        norm: ``layer``, or ``rms``, which divides by the root mean square and shifts nothing.
        activation: of the feed-forward network.
        rotary, qk_norm, value_residual: of ``CausalSelfAttention``.
        token_shift: mix the token before into each token that the attention and the feed-forward network read, see
            ``TokenShift``.
    """

    def __init__(
        self,
        width: int,
        num_heads: int,
        context: int,
        dropout: float = 0.0,
        bias: bool = True,
        norm: Norm = "layer",
        activation: Activation = "gelu",
        rotary: bool = False,
        qk_norm: bool = False,
        value_residual: bool = False,
        token_shift: bool = False,
    ) -> None:
        check_at_least_one(width=width)
        super().__init__()
        self.attention_norm = make_norm(norm, width, bias)
        self.attention = CausalSelfAttention(width, num_heads, context, dropout, bias, rotary, qk_norm, value_residual)
        self.feed_forward_norm = make_norm(norm, width, bias)
        self.feed_forward = FeedForward(width, activation, dropout, bias)
        self.attention_shift = TokenShift(width) if token_shift else None
        self.feed_forward_shift = TokenShift(width) if token_shift else None

    def forward(
        self, x: Tensor, first_values: Tensor | None = None, state: LayerState | None = None
    ) -> tuple[Tensor, Tensor, LayerState]:
        """Map tokens ``(B, T, width)`` to the same shape; see ``CausalSelfAttention`` for the other values."""
        read, fed = (None, None) if state is None or state.last is None else state.last
        normed = self.attention_norm(x)
        if self.attention_shift is not None:
            normed, read = self.attention_shift(normed, read)
        taken, values, known = self.attention(normed, first_values, None if state is None else state.known)
        x = x + taken
        normed = self.feed_forward_norm(x)
        if self.feed_forward_shift is not None:
            normed, fed = self.feed_forward_shift(normed, fed)
        last = None if read is None or fed is None else (read, fed)
        return x + self.feed_forward(normed), values, LayerState(known, last)


def make_norm(norm: Norm, width: int, bias: bool = True) -> nn.Module:
    """Return a norm over the last of ``width`` channels."""
    return nn.LayerNorm(width, bias=bias) if norm == "layer" else nn.RMSNorm(width, eps=1e-6)
