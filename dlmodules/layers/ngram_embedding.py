"""Embeddings of tokens together with those before them."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.protocols import PAD
from dlmodules.validation.arguments import check_at_least_one, check_dropout, check_positive

MIXER = 2_654_435_761  # odd and large: near runs of tokens fall into far rows


class NGramEmbedding(nn.Module):
    """Embeddings of the last two tokens at each place, of the last three, and so on, added up.

    A table that has a row for each run of so many tokens gives each its own; in a smaller one runs share rows by a
    hash (Roy et al. 2022, N-Grammer). Before the first token stands padding.

    Args:
        vocabulary_size: number of token ids.
        rows: of the table for two tokens, of that for three, and so on.
        width: size of an embedding.
        std: standard deviation of the embeddings of two tokens at the start; those of longer runs, which come rarely,
            begin at 0.
        dropout: fraction of the embeddings that are left out in training, each run's at a place as a whole: as in
            smoothed counts, shorter runs must do without the longer ones, which are soon known by heart.
    """

    def __init__(
        self, vocabulary_size: int, rows: Sequence[int], width: int, std: float = 0.02, dropout: float = 0.0
    ) -> None:
        for number in rows:
            check_at_least_one(ngram_rows=number)
        check_positive(std=std)
        check_dropout(dropout)
        super().__init__()
        self.vocabulary_size, self.rows = vocabulary_size, list(rows)
        self.tables = nn.ModuleList(nn.Embedding(number, width) for number in rows)
        self.std, self.dropout = std, dropout
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the embeddings of the start."""
        for length, table in enumerate(self.tables, start=2):
            assert isinstance(table, nn.Embedding)
            nn.init.normal_(table.weight, std=self.std if length == 2 else 0.0)

    def forward(self, tokens: Tensor, before: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the embeddings ``(B, T, width)`` at each of ``tokens`` ``(B, T)`` int64, and what the next need.

        Args:
            tokens: token ids.
            before: what was returned for the tokens before, ``(B, N)`` int64 with N tables; None at the beginning.
        """
        reach = len(self.tables)
        if before is None:
            before = tokens.new_full((len(tokens), reach), PAD)
        known = torch.cat([before, tokens], dim=1)
        keys, found = tokens, torch.zeros((), device=tokens.device)
        for length, table in enumerate(self.tables, start=1):
            keys = keys + known[:, reach - length : known.shape[1] - length] * self.vocabulary_size**length
            has_all = self.rows[length - 1] >= self.vocabulary_size ** (length + 1)
            embedded = table(keys if has_all else keys * MIXER % self.rows[length - 1])
            if self.training and self.dropout:
                embedded = embedded * F.dropout(embedded.new_ones(*keys.shape, 1), self.dropout)
            found = found + embedded
        return found, known[:, known.shape[1] - reach :]
