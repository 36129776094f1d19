"""A Markov chain of any order as something that generates, and all its continuations."""

from itertools import product

import torch
from torch import Tensor


class Chain:
    """The logits of the next token, by the last two."""

    def __init__(self, vocabulary_size: int, seed: int = 0, scale: float = 2.0) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.table = scale * torch.randn(vocabulary_size, vocabulary_size, vocabulary_size, generator=generator)

    def start(self, context: Tensor) -> Tensor:
        before = torch.cat([torch.zeros_like(context[:, :0]), context], dim=1)
        return before[:, -1] if before.shape[1] else torch.zeros(len(context), dtype=torch.int64)

    def step(self, tokens: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        return self.table[state, tokens], tokens

    def select(self, state: Tensor, rows: Tensor) -> Tensor:
        return state.index_select(0, rows)

    def log_probability(self, context: list[int], tokens: list[int]) -> float:
        row, total = [0, *context], 0.0
        for token in tokens:
            total += float(self.table[row[-2], row[-1]].log_softmax(0)[token])
            row.append(token)
        return total

    def best(self, context: list[int], length: int, stop: int) -> tuple[list[int], float]:
        """The most probable of all sequences that end with ``stop``, or have ``length`` tokens."""
        found = {}
        for tokens in product(range(len(self.table)), repeat=length):
            cut = list(tokens[: tokens.index(stop) + 1] if stop in tokens else tokens)
            found[tuple(cut)] = self.log_probability(context, cut)
        sequence = max(found, key=lambda key: found[key])
        return list(sequence), found[sequence]
