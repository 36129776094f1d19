"""Attention of a recurrent decoder to what an encoder has read: Bahdanau's and Luong's scores."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from dlmodules.validation.arguments import check_at_least_one

Score = Literal["additive", "general"]


class Memory(NamedTuple):
    """What was read, to attend to.

    Args:
        values: ``(B, S, D)``, what each place is read as.
        keys: ``(B, S, A)``, by which the places are compared with a query.
        inside: ``(B, S)`` bool, false in the padding.
    """

    values: Tensor
    keys: Tensor
    inside: Tensor

    def select(self, rows: Tensor) -> "Memory":
        """Return that of some ``rows`` ``(N,)``."""
        return Memory(*(part.index_select(0, rows) for part in self))


class DecoderState(NamedTuple):
    """What a recurrent decoder goes on with.

    Args:
        hidden: its states, of an LSTM the hidden and the cell states: each ``(L, B, H)``.
        memory: what it attends to; None without attention.
    """

    hidden: tuple[Tensor, ...]
    memory: Memory | None

    def select(self, rows: Tensor) -> "DecoderState":
        """Return that of some ``rows`` ``(N,)``."""
        hidden = tuple(part.index_select(1, rows) for part in self.hidden)
        return DecoderState(hidden, None if self.memory is None else self.memory.select(rows))


class MemoryAttention(nn.Module):
    """Weights over the places of a memory, and their weighted mean, for each query.

    Args:
        query_dim: channels of a query.
        memory_dim: channels of the memory.
        score: ``additive``: ``v . tanh(W q + U m)``, a network of one hidden layer (Bahdanau et al. 2014); ``general``:
            ``q . (W m)`` (Luong et al. 2015).
        attention_dim: hidden units of ``additive``; None for as many as ``query_dim``.
    """

    def __init__(
        self, query_dim: int, memory_dim: int, score: Score = "additive", attention_dim: int | None = None
    ) -> None:
        check_at_least_one(query_dim=query_dim, memory_dim=memory_dim, attention_dim=attention_dim)
        super().__init__()
        self.score = score
        width = query_dim if attention_dim is None or score == "general" else attention_dim
        self.key = nn.Linear(memory_dim, width, bias=False)
        self.query = nn.Linear(query_dim, width) if score == "additive" else None
        self.vector = nn.Linear(width, 1, bias=False) if score == "additive" else None
        for layer in (self.key, self.query, self.vector):
            if layer is not None:
                nn.init.xavier_uniform_(layer.weight)

    def memory(self, values: Tensor, inside: Tensor) -> Memory:
        """Return ``values`` ``(B, S, memory_dim)`` with their keys; ``inside`` ``(B, S)`` is false in the padding."""
        return Memory(values, self.key(values), inside)

    def scores(self, queries: Tensor, memory: Memory) -> Tensor:
        """Return the scores ``(B, T, S)`` of queries ``(B, T, query_dim)``, minus infinity in the padding."""
        if self.query is None or self.vector is None:
            scores = queries @ memory.keys.transpose(1, 2)
        else:
            hidden = torch.tanh(self.query(queries)[:, :, None] + memory.keys[:, None])
            scores = self.vector(hidden).squeeze(3)
        return scores.masked_fill(~memory.inside[:, None], -torch.inf)

    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Return contexts ``(B, T, memory_dim)`` for queries ``(B, T, query_dim)``, and the weights ``(B, T, S)``."""
        weights = self.scores(queries, memory).softmax(dim=2)
        return weights @ memory.values, weights
