"""Networks for texts as token ids, padded in front or behind.

Padding changes nothing: a text has the same logit whatever batch it is in. Two classes have one logit,
that of the second; more classes have one each.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.errors import UserError
from dlmodules.layers.initialization import glorot_uniform_
from dlmodules.layers.recurrent import Cell, make_recurrent
from dlmodules.protocols import PAD
from dlmodules.validation.arguments import check_at_least_one
from dlmodules.validation.tokens import check_token_range


def num_logits(num_classes: int) -> int:
    """Return how many logits ``num_classes`` need: one for two, else one for each."""
    return 1 if num_classes == 2 else num_classes


def check_tokens(tokens: Tensor, vocabulary_size: int) -> None:
    """Raise UserError unless ``tokens`` is ``(B, T)`` int64 in ``[0, vocabulary_size)``."""
    if tokens.dtype != torch.int64 or tokens.ndim != 2 or tokens.numel() == 0:
        raise UserError(
            f"the texts are {tokens.dtype} {tuple(tokens.shape)}; a text classifier needs int64 tokens (B, T), such as"
            " those of ToySentimentDataModule, IMDBDataModule or TextTableDataModule"
        )
    advice = "set the same vocabulary_size for the network and the data"
    check_token_range(tokens, vocabulary_size, "the network", advice)


def text_first(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``tokens`` with all padding behind the texts and none in the longest, and lengths ``(B,)``.

    A text of nothing but padding counts as one token long.
    """
    is_word = tokens != PAD
    lengths = is_word.sum(dim=1).clamp(min=1)
    starts = is_word.int().argmax(dim=1)  # the first of the largest
    places = starts[:, None] + torch.arange(int(lengths.max()), device=tokens.device)
    shifted = tokens.gather(1, places.clamp(max=tokens.shape[1] - 1))
    return shifted.where(places < (starts + lengths)[:, None], PAD), lengths


class BagOfWords(nn.Module):
    """Which words a text has, whatever their order and number: multi-hot, two layers of 16 ReLUs, a linear one.

    Args:
        vocabulary_size: number of token ids, that of padding (0) included.
        hidden_dim: units of each hidden layer.
        num_classes: number of classes.
    """

    def __init__(self, vocabulary_size: int = 10_000, hidden_dim: int = 16, num_classes: int = 2) -> None:
        check_at_least_one(vocabulary_size=vocabulary_size, hidden_dim=hidden_dim)
        super().__init__()
        self.vocabulary_size, self.hidden_dim, self.num_classes = vocabulary_size, hidden_dim, num_classes
        self.layers = nn.Sequential(
            nn.Linear(vocabulary_size, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, hidden_dim), nn.ReLU()
        )
        self.head = nn.Linear(hidden_dim, num_logits(num_classes))
        glorot_uniform_(self)

    def hidden(self, tokens: Tensor) -> Tensor:
        """Return the activations ``(B, hidden_dim)`` of the last hidden layer for token ids ``(B, T)``."""
        check_tokens(tokens, self.vocabulary_size)
        multi_hot = self.head.weight.new_zeros(len(tokens), self.vocabulary_size)
        multi_hot.scatter_(1, tokens, 1.0)
        multi_hot[:, PAD] = 0.0
        hidden: Tensor = self.layers(multi_hot)
        return hidden

    def forward(self, tokens: Tensor) -> Tensor:
        """Map token ids ``(B, T)`` int64 to logits ``(B, 1)``, or ``(B, num_classes)`` of more than two classes."""
        logits: Tensor = self.head(self.hidden(tokens))
        return logits


class TextRNN(nn.Module):
    """Embedded words, a recurrent layer over them, and a linear layer from the state after the last word.

    Args:
        vocabulary_size: number of token ids, that of padding (0) included.
        embedding_dim: size of a word's embedding.
        hidden_dim: units of the recurrent layer.
        cell: ``rnn`` (tanh; the book's simple recurrent layer), ``lstm`` or ``gru``.
        num_classes: number of classes.
    """

    def __init__(
        self,
        vocabulary_size: int = 10_000,
        embedding_dim: int = 32,
        hidden_dim: int = 32,
        cell: Cell = "rnn",
        num_classes: int = 2,
    ) -> None:
        check_at_least_one(vocabulary_size=vocabulary_size, embedding_dim=embedding_dim, hidden_dim=hidden_dim)
        super().__init__()
        self.vocabulary_size, self.embedding_dim, self.hidden_dim = vocabulary_size, embedding_dim, hidden_dim
        self.cell, self.num_classes = cell, num_classes
        self.embedding = nn.Embedding(vocabulary_size, embedding_dim)
        nn.init.uniform_(self.embedding.weight, -0.05, 0.05)  # Keras' default
        self.recurrent = make_recurrent(cell, embedding_dim, hidden_dim)
        self.head = nn.Linear(hidden_dim, num_logits(num_classes))
        glorot_uniform_(self.head)

    def hidden(self, tokens: Tensor) -> Tensor:
        """Return the state ``(B, hidden_dim)`` after the last word of token ids ``(B, T)``."""
        check_tokens(tokens, self.vocabulary_size)
        # Not packed: that takes the layer off its fused kernel, and is many times slower on a CPU than running on
        # over the padding behind a text and taking the state at its last word.
        words, lengths = text_first(tokens)
        states, _ = self.recurrent(F.embedding(words, self.embedding.weight))
        last: Tensor = states[torch.arange(len(words), device=words.device), lengths - 1]
        return last

    def forward(self, tokens: Tensor) -> Tensor:
        """Map token ids ``(B, T)`` int64 to logits ``(B, 1)``, or ``(B, num_classes)`` of more than two classes."""
        logits: Tensor = self.head(self.hidden(tokens))
        return logits
