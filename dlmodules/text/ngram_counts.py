"""Counts of n-grams in tensors: every n-gram of one to ``order`` tokens that a text has, in a sorted table each."""

import torch
from torch import Tensor

NONE = -1  # the row of an n-gram that was never seen


class NGramTable:
    """The n-grams of one length.

    An n-gram is the row of its first n - 1 tokens in the table below, and its last token: one number,
    ``row * vocabulary_size + token``, which fits into 64 bits for any order.

    Args:
        keys: ``(N,)`` int64, rising.
        counts: ``(N,)`` int64, how often each was seen, or how many different tokens were seen before it.
        contexts: rows of the table below, 1 for that of single tokens.
        vocabulary_size: V.
    """

    def __init__(self, keys: Tensor, counts: Tensor, contexts: int, vocabulary_size: int) -> None:
        self.keys, self.counts, self.vocabulary_size = keys, counts, vocabulary_size
        self.contexts = keys.div(vocabulary_size, rounding_mode="floor")  # each n-gram's row in the table below
        self.tokens = keys - self.contexts * vocabulary_size
        self.first = torch.searchsorted(keys, torch.arange(contexts + 1) * vocabulary_size)
        self.totals = torch.zeros(contexts, dtype=torch.int64).index_add_(0, self.contexts, counts)

    def types(self, least: int, most: int | None = None) -> Tensor:
        """Return ``(contexts,)``: how many tokens follow each context ``least`` to ``most`` times."""
        chosen = self.counts >= least if most is None else (self.counts >= least) & (self.counts <= most)
        return torch.zeros_like(self.totals).index_add_(0, self.contexts, chosen.long())

    def rows(self, contexts: Tensor, tokens: Tensor) -> Tensor:
        """Return the rows ``(B,)`` of the n-grams that are ``contexts`` and ``tokens`` behind them, or ``NONE``."""
        keys = contexts * self.vocabulary_size + tokens
        places = torch.searchsorted(self.keys, keys).clamp(max=len(self.keys) - 1)
        return places.where((self.keys[places] == keys) & (contexts != NONE), NONE)


def count_ngrams(tokens: Tensor, order: int, vocabulary_size: int, continuations: bool) -> list[tuple[Tensor, Tensor]]:
    """Count the n-grams of ``tokens`` ``(N,)`` int64, those of one token first.

    Args:
        tokens: a text, N at least ``order``.
        order: tokens of the longest n-grams.
        vocabulary_size: V; tokens are 0 to V - 1.
        continuations: count how many different tokens stand before an n-gram, in place of how often it is there, but
            for the longest ones.

    Returns:
        Keys and counts of each table, as ``NGramTable`` takes them.
    """
    found: list[tuple[Tensor, Tensor]] = []
    rows: list[Tensor] = []  # of the n-gram that ends at each token, for each n; the first n - 1 tokens end none
    firsts: list[Tensor] = []  # where each n-gram ends for the first time
    for n in range(1, order + 1):
        context = torch.zeros(len(tokens), dtype=torch.int64) if n == 1 else rows[-1][:-1]
        keys, places, counts = torch.unique(
            context * vocabulary_size + tokens[n - 1 :], return_inverse=True, return_counts=True
        )
        first = torch.full_like(keys, len(tokens)).scatter_reduce_(
            0, places, torch.arange(n - 1, len(tokens)), reduce="amin"
        )
        found.append((keys, counts))
        rows.append(places)
        firsts.append(first)
    if continuations:
        for n in range(1, order):
            # The longer n-gram that ends at a token ends in the shorter one that ends there.
            shorter = rows[n - 1][firsts[n] - (n - 1)]
            before = torch.zeros_like(found[n - 1][1]).index_add_(0, shorter, torch.ones_like(shorter))
            found[n - 1] = (found[n - 1][0], before)
    return found
