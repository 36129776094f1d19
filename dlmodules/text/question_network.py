"""The network that tags the answers in a document and writes questions about them."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.errors import UserError
from dlmodules.layers.memory_attention import DecoderState, MemoryAttention
from dlmodules.layers.recurrent import make_recurrent
from dlmodules.layers.sequence_encoder import SequenceEncoder
from dlmodules.protocols import PAD
from dlmodules.validation.arguments import check_at_least_one, check_dropout


class QuestionNetwork(nn.Module):
    """One reader of a document, tags of its words, and a recurrent network that asks about some of them.

    Without attention what asks knows of the document what was read at the answer's words.

    Args:
        vocabulary_size: number of token ids of documents and questions.
        embedding_dim: size of a token's embedding, which documents and questions share.
        reader_dim: units of the reader in each direction.
        hidden_dim: units of what reads the answer, and of what writes the question.
        dropout: fraction of embeddings and of what is read that are set to 0 in training.
        attention: ``none``, or ``luong``: before each word of a question, look at all that was read.
    """

    def __init__(
        self,
        vocabulary_size: int = 10_000,
        embedding_dim: int = 100,
        reader_dim: int = 100,
        hidden_dim: int = 200,
        dropout: float = 0.0,
        attention: Literal["none", "luong"] = "none",
    ) -> None:
        check_at_least_one(embedding_dim=embedding_dim, reader_dim=reader_dim, hidden_dim=hidden_dim)
        check_dropout(dropout)
        if attention not in ("none", "luong"):
            raise UserError(f"attention is {attention!r}; it must be none or luong")
        super().__init__()
        self.dropout = dropout
        self.embedding = nn.Embedding(vocabulary_size, embedding_dim)
        self.reader = SequenceEncoder(embedding_dim, reader_dim, cell="gru", bidirectional=True)
        self.tagger = nn.Linear(self.reader.output_dim, 2)
        self.answer_encoder = SequenceEncoder(self.reader.output_dim, hidden_dim, cell="gru", bidirectional=False)
        self.decoder = make_recurrent("gru", embedding_dim, hidden_dim)
        memory_dim = self.reader.output_dim
        self.score = MemoryAttention(hidden_dim, memory_dim, "general") if attention == "luong" else None
        self.readout = nn.Linear(hidden_dim + memory_dim, hidden_dim) if attention == "luong" else None
        self.projection = nn.Linear(hidden_dim, vocabulary_size, bias=False)
        nn.init.normal_(self.embedding.weight)

    def forward(self, document: Tensor, answer: Tensor, question: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of tags and of a question's next tokens.

        Args:
            document: token ids ``(B, D)``, padded with 0 at their ends.
            answer: ``(B, D)``, 1 at the words that are asked about, one or more.
            question: token ids ``(B, T)``, from the start on.

        Returns:
            Tags ``(B, D, 2)``, of which the second is that of an answer, and next tokens ``(B, T, V)``.
        """
        read = self.read(document)
        return self.tagger(read), self.decode(question, self._begin(read, document, answer))[0]

    def read(self, document: Tensor) -> Tensor:
        """Return what each word of documents ``(B, D)`` is read as, ``(B, D, 2 reader_dim)``."""
        embedded = F.dropout(self.embedding(document), self.dropout, self.training)
        read, _ = self.reader(embedded, (document != PAD).sum(dim=1))
        return F.dropout(read, self.dropout, self.training)

    def ask_about(self, read: Tensor, answer: Tensor) -> Tensor:
        """Return the state ``(1, B, hidden_dim)`` that a question begins with: the answer's words, read in order."""
        lengths = answer.sum(dim=1)
        places = answer.argsort(dim=1, descending=True, stable=True)[:, : int(lengths.max())]
        words = read.gather(1, places[:, :, None].expand(-1, -1, read.shape[2]))
        state: Tensor = self.answer_encoder(words, lengths)[1]
        return state

    def encode(self, source: tuple[Tensor, Tensor]) -> DecoderState:
        """Return the state after reading documents ``(B, D)`` and which words of them are asked about, ``(B, D)``."""
        document, answer = source
        return self._begin(self.read(document), document, answer)

    def _begin(self, read: Tensor, document: Tensor, answer: Tensor) -> DecoderState:
        memory = None if self.score is None else self.score.memory(read, document != PAD)
        return DecoderState((self.ask_about(read, answer),), memory)

    def decode(self, tokens: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Return the logits ``(B, T, V)`` after each of ``tokens`` ``(B, T)``, and the state behind them."""
        embedded = F.dropout(self.embedding(tokens), self.dropout, self.training)
        written, hidden = self.decoder(embedded, state.hidden[0])
        if self.score is not None and self.readout is not None and state.memory is not None:
            contexts, _ = self.score(written, state.memory)
            written = torch.tanh(self.readout(torch.cat([written, contexts], dim=2)))
        return self.projection(written), DecoderState((hidden,), state.memory)

    def select(self, state: DecoderState, rows: Tensor) -> DecoderState:
        """Return the state of some ``rows`` ``(N,)``."""
        return state.select(rows)
