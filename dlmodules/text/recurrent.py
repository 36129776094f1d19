"""Recurrent language models: of characters or words, with their state carried over from batch to batch or not."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.layers.ngram_embedding import NGramEmbedding
from dlmodules.layers.recurrent import Cell, make_recurrent
from dlmodules.protocols import HasLanes
from dlmodules.text.neural import NeuralLanguageModel
from dlmodules.training.ranks import own_state, states_to_keep
from dlmodules.validation.arguments import check_at_least, check_at_least_one, check_dropout

CARRIED = "carried_state"
State = tuple[Tensor, ...]
"""Of an LSTM the hidden and the cell states, of others the hidden ones, each ``(L, B, H)``; with embeddings of several
tokens the last of these behind them, ``(1, B, N)`` int64."""


class RecurrentReader(nn.Module):
    """Embedded or one-hot tokens, recurrent layers, and a linear layer to the logits of the next token.

    Args:
        vocabulary_size: number of token ids.
        hidden_dim: units of each recurrent layer.
        num_layers: recurrent layers, one above the other.
        cell: ``rnn`` (tanh), ``lstm`` or ``gru``.
        embedding_dim: size of a token's embedding; None reads one-hot vectors, as if they were as long as the
            vocabulary and fixed.
        dropout: fraction of values behind the last recurrent layer that are set to 0 in training.
        ngram_rows: of tables of embeddings of the last two tokens, of the last three and so on, which are added to that
            of each token, see ``NGramEmbedding``.

    Raises:
        UserError: for a number out of range, and ``ngram_rows`` without ``embedding_dim``.
    """

    def __init__(
        self,
        vocabulary_size: int = 256,
        hidden_dim: int = 512,
        num_layers: int = 2,
        cell: Cell = "lstm",
        embedding_dim: int | None = None,
        dropout: float = 0.0,
        ngram_rows: Sequence[int] = (),
    ) -> None:
        check_at_least(2, vocabulary_size=vocabulary_size)
        check_at_least_one(hidden_dim=hidden_dim, num_layers=num_layers, embedding_dim=embedding_dim)
        check_dropout(dropout)
        super().__init__()
        self.vocabulary_size, self.hidden_dim, self.num_layers = vocabulary_size, hidden_dim, num_layers
        self.cell, self.embedding_dim, self.dropout = cell, embedding_dim, dropout
        self.embedding = None if embedding_dim is None else nn.Embedding(vocabulary_size, embedding_dim)
        self.ngrams: NGramEmbedding | None = None
        if ngram_rows:
            if embedding_dim is None:
                raise UserError("ngram_rows are embeddings that are added to those of the tokens: set embedding_dim")
            self.ngrams = NGramEmbedding(vocabulary_size, ngram_rows, embedding_dim, std=1.0)
        self.recurrent = make_recurrent(cell, embedding_dim or vocabulary_size, hidden_dim, num_layers)
        self.head = nn.Linear(hidden_dim, vocabulary_size)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map token ids ``(B, T)`` int64 to the logits ``(B, T, V)`` of the token after each."""
        return self.read(tokens, None)[0]

    def read(self, tokens: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Return the logits ``(B, T, V)`` after each of ``tokens`` ``(B, T)``, and the state behind them."""
        if self.embedding is None:
            inputs = F.one_hot(tokens, self.vocabulary_size).to(self.head.weight.dtype)
        else:
            inputs = self.embedding(tokens)
        last: State = ()
        if self.ngrams is not None:
            of_runs, last_tokens = self.ngrams(tokens, None if state is None else state[-1][0])
            inputs, last = inputs + of_runs, (last_tokens[None],)
        given: Any = state if state is None else state[:2] if self.cell == "lstm" else state[0]
        outputs, behind = self.recurrent(inputs, given)
        logits: Tensor = self.head(F.dropout(outputs, self.dropout, self.training))
        return logits, (*(behind if self.cell == "lstm" else (behind,)), *last)

    def select(self, state: State, rows: Tensor) -> State:
        """Return the state of some ``rows`` ``(N,)``."""
        return tuple(part.index_select(1, rows) for part in state)


class RecurrentLanguageModel(NeuralLanguageModel):
    """An LSTM, a GRU or a plain recurrent network that predicts the next character or word.

    With ``carry_state`` training is truncated backpropagation through time: each window begins with the state in which
    the one before ended, and gradients stop at its border. The data must give windows that follow on each other.
    The state is in the checkpoint, so that a resumed run goes on with it. An epoch begins with a state of zeros.

    Paper: Hochreiter & Schmidhuber 1997, Long Short-Term Memory; Graves 2013, Generating Sequences With Recurrent
        Neural Networks.
    Books: vasilev 7.13, foster F6.2, foster F6.4, foster F6.5, foster F6.10.

    Args:
        network: in place of the one that the next arguments describe: maps token ids ``(B, T)`` to logits
            ``(B, T, V)``, with ``read`` and ``select`` as of ``RecurrentReader``.
        vocabulary_size: number of token ids, that of padding included.
        hidden_dim: units of each recurrent layer.
        num_layers: recurrent layers, one above the other.
        cell: ``rnn`` (tanh), ``lstm`` or ``gru``.
        embedding_dim: size of a token's embedding; None reads one-hot vectors.
        dropout: fraction of values behind the last recurrent layer that are set to 0 in training.
        carry_state: begin each window with the state in which the one before ended.
        ngram_rows: of tables of embeddings of the last two tokens, of the last three and so on, which are added to that
            of each token, see ``NGramEmbedding``; none by default.
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate, stepped after each training step; None keeps it constant.

    Raises:
        UserError: for a number out of range, and where a state is to be carried over between random windows.
    """

    small_arguments: ClassVar[dict[str, Any]] = {"vocabulary_size": 100, "hidden_dim": 16}

    def __init__(
        self,
        network: nn.Module | None = None,
        vocabulary_size: int = 256,
        hidden_dim: int = 512,
        num_layers: int = 2,
        cell: Cell = "lstm",
        embedding_dim: int | None = None,
        dropout: float = 0.0,
        carry_state: bool = False,
        ngram_rows: Sequence[int] = (),
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=2e-3),
        scheduler: LRSchedulerCallable | None = None,
    ) -> None:
        super().__init__(
            network=network
            or RecurrentReader(vocabulary_size, hidden_dim, num_layers, cell, embedding_dim, dropout, ngram_rows),
            vocabulary_size=vocabulary_size,
            optimizer=optimizer,
            scheduler=scheduler,
        )
        self.carry_state = carry_state
        self._carried: dict[str, State] = {}  # by stage
        self._resumed: dict[str, Any] = {}  # what a checkpoint has of it

    @override
    def setup(self, stage: str) -> None:
        super().setup(stage)
        data = getattr(self.trainer, "datamodule", None)
        if self.carry_state and isinstance(data, HasLanes) and not data.contiguous:
            raise UserError(
                "carry_state needs windows that follow on each other, but the data give them at random: set"
                " --data.sampling lanes, or carry_state to false"
            )

    @override
    def logits(self, x: Tensor, stage: str, batch_idx: int) -> Tensor:
        if not self.carry_state:
            return super().logits(x, stage, batch_idx)
        before = self._carried.get(stage) if batch_idx > 0 else None
        if before is not None and before[0].shape[1] != len(x):
            before = None  # a last batch of fewer rows, whose states are of other lanes
        logits, state = self._network().read(x, before)
        self._carried[stage] = tuple(part.detach() for part in state)
        return logits

    @override
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        if self.carry_state:
            carried = self._carried.get("train")
            kept = None if carried is None else [part.cpu() for part in carried]
            checkpoint |= states_to_keep(CARRIED, kept)

    @override
    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        self._resumed = {name: kept for name, kept in checkpoint.items() if name.startswith(CARRIED)}

    @override
    def on_train_start(self) -> None:
        """Go on with the state of the run that is resumed."""
        kept = own_state(CARRIED, self._resumed, resumes=True) if self._resumed else None
        self._carried = {} if kept is None else {"train": tuple(part.to(self.device) for part in kept)}
        self._resumed = {}
