"""Recurrent networks that read one sequence and write another, with attention or without."""

from typing import Any, ClassVar, Literal

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.layers.memory_attention import DecoderState, MemoryAttention
from dlmodules.layers.recurrent import Cell, make_recurrent
from dlmodules.layers.sequence_encoder import SequenceEncoder
from dlmodules.protocols import PAD, AttentionMap
from dlmodules.text.sequence_to_sequence import SequenceToSequence
from dlmodules.validation.arguments import check_at_least, check_at_least_one, check_dropout, check_fractions

AttentionKind = Literal["none", "bahdanau", "luong"]


class RecurrentEncoderDecoder(nn.Module):
    """A recurrent encoder, whose last state begins a recurrent decoder, and attention to all of its states.

    Args:
        source_vocabulary_size: number of token ids of sources.
        target_vocabulary_size: number of token ids of targets.
        embedding_dim: size of a token's embedding, and of what the logits are made of.
        hidden_dim: units of each layer of the decoder, and of each layer and direction of the encoder.
        num_layers: layers of encoder and decoder.
        cell: ``rnn`` (tanh), ``lstm`` or ``gru``.
        bidirectional: let the encoder read in both directions.
        attention: ``none``; ``bahdanau``: by the decoder's state before a token, whose context is an input of the
            decoder; ``luong``: by the state behind a token, whose context is an input of the readout alone.
        initial_state: of the decoder: made of the ``encoder``'s last one, or ``zeros``.
        dropout: fraction of embeddings and readouts that are set to 0 in training.
        tied: let the last layer have the weights of the targets' embedding, and no bias.
    """

    def __init__(
        self,
        source_vocabulary_size: int = 8000,
        target_vocabulary_size: int = 8000,
        embedding_dim: int = 256,
        hidden_dim: int = 256,
        num_layers: int = 1,
        cell: Cell = "gru",
        bidirectional: bool = True,
        attention: AttentionKind = "bahdanau",
        initial_state: Literal["encoder", "zeros"] = "encoder",
        dropout: float = 0.0,
        tied: bool = False,
    ) -> None:
        check_at_least(2, source_vocabulary_size=source_vocabulary_size, target_vocabulary_size=target_vocabulary_size)
        check_at_least_one(embedding_dim=embedding_dim, hidden_dim=hidden_dim, num_layers=num_layers)
        check_dropout(dropout)
        for name, value, known in (
            ("attention", attention, ("none", "bahdanau", "luong")),
            ("initial_state", initial_state, ("encoder", "zeros")),
        ):
            if value not in known:
                raise UserError(f"{name} is {value!r}; it must be {' or '.join(known)}")
        if attention == "none" and initial_state == "zeros":
            raise UserError(
                "without attention the decoder knows the source by its initial state alone: zeros tell it nothing"
            )
        super().__init__()
        self.source_vocabulary_size, self.target_vocabulary_size = source_vocabulary_size, target_vocabulary_size
        self.embedding_dim, self.hidden_dim, self.num_layers, self.cell = embedding_dim, hidden_dim, num_layers, cell
        self.bidirectional, self.attention, self.initial_state = bidirectional, attention, initial_state
        self.dropout, self.tied = dropout, tied
        self.source_embedding = nn.Embedding(source_vocabulary_size, embedding_dim)
        self.target_embedding = nn.Embedding(target_vocabulary_size, embedding_dim)
        self.encoder = SequenceEncoder(embedding_dim, hidden_dim, num_layers, cell, bidirectional, dropout)
        memory_dim = self.encoder.output_dim
        self.parts = 2 if cell == "lstm" else 1  # of a decoder's state
        self.bridge = nn.Linear(memory_dim, self.parts * hidden_dim) if initial_state == "encoder" else None
        inputs = embedding_dim + (memory_dim if attention == "bahdanau" else 0)
        self.decoder = make_recurrent(cell, inputs, hidden_dim, num_layers)
        self.score = (
            None
            if attention == "none"
            else MemoryAttention(hidden_dim, memory_dim, "additive" if attention == "bahdanau" else "general")
        )
        self.readout = nn.Linear(embedding_dim + hidden_dim + (0 if attention == "none" else memory_dim), embedding_dim)
        self.head = None if tied else nn.Linear(embedding_dim, target_vocabulary_size)
        for embedding in (self.source_embedding, self.target_embedding):
            nn.init.normal_(embedding.weight, std=embedding_dim**-0.5)

    def forward(self, source: Tensor, inputs: Tensor) -> Tensor:
        """Map sources ``(B, S)`` and targets' tokens ``(B, T)`` int64 to the logits ``(B, T, V)`` behind each."""
        return self.decode(inputs, self.encode(source))[0]

    def encode(self, source: Tensor) -> DecoderState:
        """Return the state after reading sources ``(B, S)`` int64, padded with 0 at their ends."""
        inside = source != PAD
        embedded = F.dropout(self.source_embedding(source), self.dropout, self.training)
        values, last = self.encoder(embedded, inside.sum(dim=1))
        if self.bridge is None:
            shape = (self.num_layers, len(source), self.hidden_dim)
            hidden = tuple(values.new_zeros(shape) for _ in range(self.parts))
        else:
            hidden = tuple(part.contiguous() for part in torch.tanh(self.bridge(last)).chunk(self.parts, dim=2))
        return DecoderState(hidden, None if self.score is None else self.score.memory(values, inside))

    def decode(self, tokens: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Return the logits ``(B, T, V)`` after each of ``tokens`` ``(B, T)``, and the state behind them."""
        logits, state, _ = self.attend(tokens, state)
        return logits, state

    def attend(self, tokens: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState, Tensor | None]:
        """Return what ``decode`` does, and the weights ``(B, T, S)`` of attention; None without."""
        embedded = F.dropout(self.target_embedding(tokens), self.dropout, self.training)
        weights: Tensor | None = None
        if self.score is None or state.memory is None:
            outputs, hidden = self._read(embedded, state.hidden)
            found = [embedded, outputs]
        elif self.attention == "luong":
            outputs, hidden = self._read(embedded, state.hidden)
            contexts, weights = self.score(outputs, state.memory)
            found = [embedded, outputs, contexts]
        else:
            outputs, contexts, weights, hidden = self._read_with_contexts(embedded, state)
            found = [embedded, outputs, contexts]
        readout = torch.tanh(self.readout(torch.cat(found, dim=2)))
        readout = F.dropout(readout, self.dropout, self.training)
        logits = F.linear(readout, self.target_embedding.weight) if self.head is None else self.head(readout)
        return logits, DecoderState(hidden, state.memory), weights

    def _read(self, inputs: Tensor, hidden: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        given: Any = hidden if self.cell == "lstm" else hidden[0]
        outputs, behind = self.decoder(inputs, given)
        return outputs, behind if self.cell == "lstm" else (behind,)

    def _read_with_contexts(
        self, embedded: Tensor, state: DecoderState
    ) -> tuple[Tensor, Tensor, Tensor, tuple[Tensor, ...]]:
        """Read token by token: what is attended to before one depends on the state behind the one before it."""
        assert self.score is not None
        assert state.memory is not None
        hidden = state.hidden
        outputs, contexts, weights = [], [], []
        for place in range(embedded.shape[1]):
            context, weight = self.score(hidden[0][-1][:, None], state.memory)
            output, hidden = self._read(torch.cat([embedded[:, place : place + 1], context], dim=2), hidden)
            outputs.append(output)
            contexts.append(context)
            weights.append(weight)
        return torch.cat(outputs, dim=1), torch.cat(contexts, dim=1), torch.cat(weights, dim=1), hidden

    def select(self, state: DecoderState, rows: Tensor) -> DecoderState:
        """Return the state of some ``rows`` ``(N,)``."""
        return state.select(rows)


class Seq2Seq(SequenceToSequence):
    """A recurrent encoder and decoder: without attention, with Bahdanau's or with Luong's.

    With ``teacher_forcing`` under 1 a part of the decoder's inputs in training are its own most probable tokens
    (scheduled sampling); that part grows in a line over ``teacher_forcing_steps``.

    Paper: Sutskever et al. 2014, Sequence to Sequence Learning with Neural Networks; Bahdanau et al. 2014, Neural
        Machine Translation by Jointly Learning to Align and Translate; Luong et al. 2015, Effective Approaches to
        Attention-based Neural Machine Translation; Bengio et al. 2015, Scheduled Sampling.
    Books: vasilev 7.14, vasilev 7.15, foster F6.6, foster F6.7, foster F7.4.

    Args:
        network: in place of the one that the next arguments describe, with the methods of ``RecurrentEncoderDecoder``.
        source_vocabulary_size: number of token ids of sources, that of padding included.
        target_vocabulary_size: number of token ids of targets.
        embedding_dim: size of a token's embedding.
        hidden_dim: units of each layer of the decoder, and of each layer and direction of the encoder.
        num_layers: layers of encoder and decoder.
        cell: ``rnn`` (tanh), ``lstm`` or ``gru``.
        bidirectional: let the encoder read in both directions.
        attention: ``none``, ``bahdanau`` or ``luong``.
        initial_state: of the decoder: made of the ``encoder``'s last one, or ``zeros``.
        dropout: fraction of embeddings and readouts that are set to 0 in training.
        tied: let the last layer have the weights of the targets' embedding, and no bias.
        teacher_forcing: the part of the decoder's inputs that are the true tokens, in the end, in [0, 1].
        teacher_forcing_steps: training steps in which it falls from 1 to that.
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate, stepped after each training step; None keeps it constant.
        **kwargs: of ``SequenceToSequence``.

    Raises:
        UserError: for a number out of range.
    """

    small_arguments: ClassVar[dict[str, Any]] = {
        "source_vocabulary_size": 60,
        "target_vocabulary_size": 60,
        "embedding_dim": 8,
        "hidden_dim": 8,
        "max_length": 12,
        "beam": 2,
        "scheduler": None,
    }

    def __init__(
        self,
        network: nn.Module | None = None,
        source_vocabulary_size: int = 8000,
        target_vocabulary_size: int = 8000,
        embedding_dim: int = 256,
        hidden_dim: int = 256,
        num_layers: int = 1,
        cell: Cell = "gru",
        bidirectional: bool = True,
        attention: AttentionKind = "bahdanau",
        initial_state: Literal["encoder", "zeros"] = "encoder",
        dropout: float = 0.0,
        tied: bool = False,
        teacher_forcing: float = 1.0,
        teacher_forcing_steps: int = 1,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3),
        scheduler: LRSchedulerCallable | None = None,
        **kwargs: Any,
    ) -> None:
        check_fractions(teacher_forcing=teacher_forcing)
        check_at_least_one(teacher_forcing_steps=teacher_forcing_steps)
        super().__init__(
            network=network
            or RecurrentEncoderDecoder(
                *(source_vocabulary_size, target_vocabulary_size, embedding_dim, hidden_dim, num_layers, cell),
                *(bidirectional, attention, initial_state, dropout, tied),
            ),
            source_vocabulary_size=source_vocabulary_size,
            target_vocabulary_size=target_vocabulary_size,
            optimizer=optimizer,
            scheduler=scheduler,
            **kwargs,
        )
        self.teacher_forcing, self.teacher_forcing_steps = teacher_forcing, teacher_forcing_steps

    def true_inputs(self, step: int) -> float:
        """Return the part of the decoder's inputs that are true tokens at training step ``step``, from 0."""
        return 1 - (1 - self.teacher_forcing) * min(1.0, step / self.teacher_forcing_steps)

    @override
    def training_logits(self, source: Tensor, inputs: Tensor) -> Tensor:
        share = self.true_inputs(self.global_step)
        if share == 1:
            return super().training_logits(source, inputs)
        network = self.networks()
        state, tokens, found = network.encode(source), inputs[:, 0], []
        for place in range(inputs.shape[1]):
            logits, state = network.decode(tokens[:, None], state)
            found.append(logits)
            if place + 1 < inputs.shape[1]:
                own = logits[:, 0].detach().argmax(dim=1)
                is_true = torch.rand(len(own), device=own.device) < share
                tokens = torch.where(is_true, inputs[:, place + 1], own)
        return torch.cat(found, dim=1)

    @torch.no_grad()
    def attention_maps(self, text: str) -> AttentionMap:
        """Return where the decoder looks while it writes greedily for ``text``.

        Raises:
            UserError: the network has no attention, or ``text`` is none that it can read.
        """
        network = self.network
        assert isinstance(network, RecurrentEncoderDecoder)
        source = self.source_of(text).to(self.device)[None]
        (written,) = self.write(source)
        inputs = torch.tensor([[self.start_id, *written]], device=self.device)
        _, _, weights = network.attend(inputs, network.encode(source))
        if weights is None:
            raise UserError("this Seq2Seq has attention=none: there is nothing to look at")
        return self.attention_map(source[0], written, {"attention": weights[0].cpu()})
