"""Attention in several heads: to oneself, to what came before with a cache of it, and to what another has read."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import sqrt
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.layers.positions import DistanceBias, Rotary
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


class Heads(nn.Module):
    """What attention in several heads has in common; a child makes ``output`` and what comes before it.

    Args:
        width: size of a token, a multiple of ``num_heads``.
        num_heads: heads, each of ``width / num_heads``.
        dropout: fraction of the weights of attention, and of the output, that are set to 0 in training.

    Raises:
        UserError: ``num_heads`` does not divide ``width``, or a number out of range.
    """

    output: nn.Linear

    def __init__(self, width: int, num_heads: int, dropout: float = 0.0) -> None:
        check_at_least_one(width=width, num_heads=num_heads)
        check_dropout(dropout)
        if width % num_heads:
            raise UserError(f"width={width} cannot be cut into num_heads={num_heads} of equal size")
        super().__init__()
        self.num_heads, self.dropout = num_heads, dropout

    def found(self, queries: Tensor, known: KeysValues, mask: Tensor | None = None, is_causal: bool = False) -> Tensor:
        """Return what queries ``(B, num_heads, T, head_width)`` take of what is known, as tokens ``(B, T, width)``."""
        dropout = self.dropout if self.training else 0.0
        taken = F.scaled_dot_product_attention(queries, known.keys, known.values, mask, dropout, is_causal=is_causal)
        return F.dropout(self.output(taken.transpose(1, 2).flatten(2)), self.dropout, self.training)


class SelfAttention(Heads):
    """Scaled dot-product attention of each token to all tokens of its sequence (Vaswani et al. 2017).

    Args:
        width: size of a token, a multiple of ``num_heads``.
        num_heads: heads, each of ``width / num_heads``.
        dropout: fraction of the weights of attention, and of the output, that are set to 0 in training.
        bias: whether its linear layers have biases.
        by_distance: add to the scores what each head has learned of distances (``DistanceBias``).

    Raises:
        UserError: ``num_heads`` does not divide ``width``, or a number out of range.
    """

    def __init__(
        self, width: int, num_heads: int, dropout: float = 0.0, bias: bool = True, by_distance: bool = False
    ) -> None:
        super().__init__(width, num_heads, dropout)
        self.inputs = nn.Linear(width, 3 * width, bias=bias)
        self.output = nn.Linear(width, width, bias=bias)
        self.distances = DistanceBias(num_heads) if by_distance else None

    def forward(self, x: Tensor, inside: Tensor | None = None) -> Tensor:
        """Return what the tokens ``x`` ``(B, T, width)`` take; ``inside`` ``(B, T)`` bool is false in the padding."""
        queries, keys, values = self.heads(x)
        return self.found(queries, KeysValues(keys, values), self.mask(x, inside))

    def weights(self, x: Tensor, inside: Tensor | None = None) -> Tensor:
        """Return the weights of attention ``(B, num_heads, T, T)`` of ``forward``, for a picture."""
        queries, keys, _ = self.heads(x)
        return attention_weights(queries, keys, self.mask(x, inside))

    def mask(self, x: Tensor, inside: Tensor | None) -> Tensor | None:
        """Return which keys are seen, ``(B, 1, 1, T)`` bool, or what is added to scores, ``(B, num_heads, T, T)``."""
        seen = None if inside is None else inside[:, None, None]
        if self.distances is None:
            return seen
        added: Tensor = self.distances(x.shape[1]).to(x.dtype)[None]
        return added if seen is None else added.masked_fill(~seen, -torch.inf)

    def heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values ``(B, num_heads, T, head_width)`` of ``x`` ``(B, T, width)``."""
        queries, keys, values = self.inputs(x).unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        return queries, keys, values


class CausalSelfAttention(SelfAttention):
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
        super().__init__(width, num_heads, dropout, bias)
        check_at_least_one(context=context)
        if rotary and width // num_heads % 2:
            raise UserError(f"rotary needs heads of an even size, but width={width} / num_heads={num_heads} is odd")
        self.qk_norm = qk_norm
        self.rotary = Rotary(width // num_heads, context) if rotary else None
        self.own_values = nn.Parameter(torch.tensor([0.5, 0.5])) if value_residual else None

    @override
    def forward(  # type: ignore[override]  # what came before in place of a mask
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
        queries, keys, values = self.placed_heads(x, before)
        own = values
        if self.own_values is not None and first_values is not None:
            values = self.own_values[0] * values + self.own_values[1] * first_values
        known = KeysValues(keys, values) if cache is None else cache.followed_by(KeysValues(keys, values))
        mask = causal_mask(x.shape[1], before, x.device) if before and x.shape[1] > 1 else None
        return self.found(queries, known, mask, is_causal=before == 0), own, known

    @override
    def weights(self, x: Tensor, *_: Any) -> Tensor:
        """Return the weights of attention ``(B, num_heads, T, T)`` of ``x`` ``(B, T, width)`` without a cache."""
        queries, keys, _values = self.placed_heads(x, 0)
        return attention_weights(queries, keys, causal_mask(x.shape[1], device=x.device))

    def placed_heads(self, x: Tensor, before: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values ``(B, heads, T, head_width)``, those of position ``before`` first."""
        queries, keys, values = self.heads(x)
        if self.qk_norm:
            queries, keys = (F.rms_norm(part, part.shape[3:]) for part in (queries, keys))
        if self.rotary is not None:
            queries, keys = self.rotary(queries, before), self.rotary(keys, before)
        return queries, keys, values


class CrossAttention(Heads):
    """Scaled dot-product attention of the tokens of one sequence to those of another (Vaswani et al. 2017).

    Args:
        width: size of a token, a multiple of ``num_heads``.
        num_heads: heads, each of ``width / num_heads``.
        dropout: fraction of the weights of attention, and of the output, that are set to 0 in training.
        bias: whether its linear layers have biases.

    Raises:
        UserError: ``num_heads`` does not divide ``width``, or a number out of range.
    """

    def __init__(self, width: int, num_heads: int, dropout: float = 0.0, bias: bool = True) -> None:
        super().__init__(width, num_heads, dropout)
        self.queries = nn.Linear(width, width, bias=bias)
        self.inputs = nn.Linear(width, 2 * width, bias=bias)
        self.output = nn.Linear(width, width, bias=bias)

    def keys_values(self, memory: Tensor) -> KeysValues:
        """Return the keys and values of the other sequence ``(B, S, width)``."""
        keys, values = self.inputs(memory).unflatten(2, (2, self.num_heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        return KeysValues(keys, values)

    def forward(self, x: Tensor, known: KeysValues, inside: Tensor) -> Tensor:
        """Return what the tokens ``x`` ``(B, T, width)`` take.

        Args:
            x: the tokens.
            known: the keys and values of the other sequence.
            inside: ``(B, S)`` bool, false in the padding of the other sequence.
        """
        return self.found(self._queries(x), known, inside[:, None, None])

    def weights(self, x: Tensor, known: KeysValues, inside: Tensor) -> Tensor:
        """Return the weights of attention ``(B, num_heads, T, S)`` of ``forward``, for a picture."""
        return attention_weights(self._queries(x), known.keys, inside[:, None, None])

    def _queries(self, x: Tensor) -> Tensor:
        queries: Tensor = self.queries(x).unflatten(2, (self.num_heads, -1)).transpose(1, 2)
        return queries


@contextmanager
def watched_attention(network: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Collect the weights ``(B, heads, T, S)`` of all attention of ``network`` that is run inside, by module names."""
    found: dict[str, Tensor] = {}

    def watch(name: str) -> Any:
        def collect(module: Any, args: Any, _output: Any) -> None:
            found[name] = module.weights(*args)

        return collect

    hooks = [
        module.register_forward_hook(watch(name))
        for name, module in network.named_modules()
        if isinstance(module, Heads)
    ]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def named_heads(layers: Iterable[Tensor]) -> dict[str, Tensor]:
    """Return the weights ``(T, S)`` of each head by its name; of each layer ``(1, heads, T, S)`` are given."""
    return {
        f"layer {number}, head {head}": weights.cpu()
        for number, layer in enumerate(layers, start=1)
        for head, weights in enumerate(layer[0], start=1)
    }


def attention_weights(queries: Tensor, keys: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return the weights ``(B, heads, T, S)`` of queries and keys of heads.

    Where ``mask`` is false they are 0; one of numbers is added to the scores.
    """
    scores = queries @ keys.transpose(2, 3) / sqrt(queries.shape[3])
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
    return scores.softmax(dim=3)


def causal_mask(length: int, before: int = 0, device: torch.device | None = None) -> Tensor:
    """Return ``(length, before + length)`` bool: true where a token attends to itself or to one that came before.

    ``before`` tokens were read already, and all may attend to them.
    """
    return torch.ones(length, before + length, dtype=torch.bool, device=device).tril(before)
