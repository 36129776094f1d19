"""The layers of the Transformer that reads one sequence and writes another."""

from typing import NamedTuple

from torch import Tensor, nn

from dlmodules.layers.attention import CausalSelfAttention, CrossAttention, KeysValues, SelfAttention
from dlmodules.layers.transformer import Activation, FeedForward


class EncoderLayer(nn.Module):
    """Attention to the whole sequence, then a feed-forward network, each added to its input and normed.

    Args:
        width: size of a token.
        num_heads: heads of the attention.
        hidden_width: of the feed-forward network.
        dropout: fraction of values that are set to 0 in training.
        pre_norm: norm the input of each part in place of its sum, which trains without a warm-up (Xiong et al. 2020).
        activation: of the feed-forward network.
        norm_eps: what is added to the variance of a norm.
        by_distance: of ``SelfAttention``.
    """

    def __init__(
        self,
        width: int,
        num_heads: int,
        hidden_width: int,
        dropout: float = 0.0,
        pre_norm: bool = False,
        activation: Activation = "relu",
        norm_eps: float = 1e-5,
        by_distance: bool = False,
    ) -> None:
        super().__init__()
        self.pre_norm = pre_norm
        self.attention = SelfAttention(width, num_heads, dropout, by_distance=by_distance)
        self.attention_norm = nn.LayerNorm(width, eps=norm_eps)
        self.feed_forward = FeedForward(width, activation, dropout, hidden_width=hidden_width)
        self.feed_forward_norm = nn.LayerNorm(width, eps=norm_eps)

    def forward(self, x: Tensor, inside: Tensor | None = None) -> Tensor:
        """Map tokens ``(B, S, width)`` to the same shape; ``inside`` ``(B, S)`` bool is false in the padding."""
        if self.pre_norm:
            x = x + self.attention(self.attention_norm(x), inside)
            x = x + self.feed_forward(self.feed_forward_norm(x))
        else:
            x = self.attention_norm(x + self.attention(x, inside))
            x = self.feed_forward_norm(x + self.feed_forward(x))
        return x


class DecoderLayerState(NamedTuple):
    """What a decoder's layer goes on with.

    Args:
        own: keys and values of the target's tokens that were read; None before the first.
        source: keys and values of the source.
    """

    own: KeysValues | None
    source: KeysValues

    def select(self, rows: Tensor) -> "DecoderLayerState":
        """Return that of some ``rows`` ``(N,)``."""
        return DecoderLayerState(None if self.own is None else self.own.select(rows), self.source.select(rows))


class DecoderLayer(nn.Module):
    """Attention to the target so far, then to the source, then a feed-forward network, each added and normed.

    Args:
        width: size of a token.
        num_heads: heads of each attention.
        hidden_width: of the feed-forward network.
        context: positions that there are.
        dropout: fraction of values that are set to 0 in training.
        pre_norm: norm the input of each part in place of its sum.
        activation: of the feed-forward network.
    """

    def __init__(
        self,
        width: int,
        num_heads: int,
        hidden_width: int,
        context: int,
        dropout: float = 0.0,
        pre_norm: bool = False,
        activation: Activation = "relu",
    ) -> None:
        super().__init__()
        self.pre_norm = pre_norm
        self.attention = CausalSelfAttention(width, num_heads, context, dropout)
        self.attention_norm = nn.LayerNorm(width)
        self.source_attention = CrossAttention(width, num_heads, dropout)
        self.source_attention_norm = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, activation, dropout, hidden_width=hidden_width)
        self.feed_forward_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, state: DecoderLayerState, inside: Tensor) -> tuple[Tensor, DecoderLayerState]:
        """Map tokens ``(B, T, width)``, which follow on those of the state, to the same shape.

        Args:
            x: the tokens.
            state: what the layer has read.
            inside: ``(B, S)`` bool, false in the padding of the source.
        """
        taken, _, own = self.attention(self.attention_norm(x) if self.pre_norm else x, None, state.own)
        x = x + taken if self.pre_norm else self.attention_norm(x + taken)
        taken = self.source_attention(self.source_attention_norm(x) if self.pre_norm else x, state.source, inside)
        x = x + taken if self.pre_norm else self.source_attention_norm(x + taken)
        taken = self.feed_forward(self.feed_forward_norm(x) if self.pre_norm else x)
        x = x + taken if self.pre_norm else self.feed_forward_norm(x + taken)
        return x, DecoderLayerState(own, state.source)
