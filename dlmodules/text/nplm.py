"""The neural probabilistic language model: the next word by a network over the words before it."""

from typing import Any, ClassVar

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.protocols import PAD
from dlmodules.text.neural import NeuralLanguageModel
from dlmodules.validation.arguments import check_at_least, check_at_least_one, check_dropout


class ConcatenatedWords(nn.Module):
    """The embeddings of the last words, one behind the other, a hidden layer of tanh, and the logits of the next word.

    Args:
        vocabulary_size: number of token ids.
        order: words of an n-gram, the predicted one included: ``order - 1`` are read.
        embedding_dim: size of a word's embedding, which is shared by all places.
        hidden_dim: units of the hidden layer.
        direct: connect the embeddings with the logits directly too, as the paper has it by option.
        dropout: fraction of the hidden units that are set to 0 in training.
    """

    def __init__(
        self,
        vocabulary_size: int = 4170,
        order: int = 5,
        embedding_dim: int = 100,
        hidden_dim: int = 100,
        direct: bool = False,
        dropout: float = 0.0,
    ) -> None:
        check_at_least(2, vocabulary_size=vocabulary_size, order=order)
        check_at_least_one(embedding_dim=embedding_dim, hidden_dim=hidden_dim)
        check_dropout(dropout)
        super().__init__()
        self.vocabulary_size, self.order, self.embedding_dim = vocabulary_size, order, embedding_dim
        self.hidden_dim, self.direct, self.dropout = hidden_dim, direct, dropout
        self.embedding = nn.Embedding(vocabulary_size, embedding_dim)
        nn.init.normal_(self.embedding.weight, std=0.1)
        read = (order - 1) * embedding_dim
        self.hidden = nn.Linear(read, hidden_dim)
        self.output = nn.Linear(hidden_dim, vocabulary_size)
        self.straight = nn.Linear(read, vocabulary_size, bias=False) if direct else None

    def forward(self, tokens: Tensor) -> Tensor:
        """Map token ids ``(B, T)`` int64 to the logits ``(B, T, V)`` of the token after each."""
        return self.read(tokens, None)[0]

    def read(self, tokens: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the logits ``(B, T, V)`` after each of ``tokens`` ``(B, T)``, and the last ``order - 2`` tokens.

        Before a beginning there is padding, whose embedding is learned.
        """
        before = self.order - 2
        if state is None:
            state = torch.full((len(tokens), before), PAD, dtype=tokens.dtype, device=tokens.device)
        text = torch.cat([state, tokens], dim=1)
        places = torch.arange(tokens.shape[1], device=tokens.device)[:, None] + torch.arange(
            self.order - 1, device=tokens.device
        )
        words = self.embedding(text)[:, places].flatten(2)
        hidden = F.dropout(torch.tanh(self.hidden(words)), self.dropout, self.training)
        logits: Tensor = self.output(hidden)
        if self.straight is not None:
            logits = logits + self.straight(words)
        return logits, text[:, text.shape[1] - before :]

    def select(self, state: Tensor, rows: Tensor) -> Tensor:
        """Return the state of some ``rows`` ``(N,)``."""
        return state.index_select(0, rows)


class NPLM(NeuralLanguageModel):
    """The neural probabilistic language model: words that mean alike have embeddings alike, and share what is learned.

    Paper: Bengio et al. 2003, A Neural Probabilistic Language Model.
    Books: vasilev 7.9.

    Args:
        network: in place of the one that the next arguments describe, such as a ``ConcatenatedWords``.
        vocabulary_size: number of token ids, that of padding included.
        order: words of an n-gram, the predicted one included: ``order - 1`` are read.
        embedding_dim: size of a word's embedding.
        hidden_dim: units of the hidden layer.
        direct: connect the embeddings with the logits directly too.
        dropout: fraction of the hidden units that are set to 0 in training.
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate, stepped after each training step; None keeps it constant.

    Raises:
        UserError: for a number out of range.
    """

    small_arguments: ClassVar[dict[str, Any]] = {"vocabulary_size": 100, "embedding_dim": 16, "hidden_dim": 16}

    def __init__(
        self,
        network: nn.Module | None = None,
        vocabulary_size: int = 4170,
        order: int = 5,
        embedding_dim: int = 100,
        hidden_dim: int = 100,
        direct: bool = False,
        dropout: float = 0.0,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3),
        scheduler: LRSchedulerCallable | None = None,
    ) -> None:
        super().__init__(
            network=network or ConcatenatedWords(vocabulary_size, order, embedding_dim, hidden_dim, direct, dropout),
            vocabulary_size=vocabulary_size,
            optimizer=optimizer,
            scheduler=scheduler,
        )
