"""The Transformer that reads one sequence and writes another."""

from typing import Any, ClassVar, NamedTuple

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.errors import UserError
from dlmodules.layers.attention import named_heads, watched_attention
from dlmodules.layers.encoder_decoder import DecoderLayer, DecoderLayerState, EncoderLayer
from dlmodules.layers.positions import sinusoidal_positions
from dlmodules.protocols import PAD, AttentionMap
from dlmodules.text.sequence_to_sequence import SequenceToSequence
from dlmodules.training.schedules import InverseSquareRootLR
from dlmodules.validation.arguments import check_at_least, check_at_least_one, check_dropout


class TransformerState(NamedTuple):
    """What a Transformer's decoder goes on with.

    Args:
        layers: the state of each layer.
        inside: ``(B, S)`` bool, false in the padding of the source.
    """

    layers: list[DecoderLayerState]
    inside: Tensor


class TransformerEncoderDecoder(nn.Module):
    """Embedded tokens and sinusoids of their positions, the layers of encoder and decoder, and the logits.

    Args:
        source_vocabulary_size: number of token ids of sources.
        target_vocabulary_size: number of token ids of targets.
        num_layers: layers of the encoder.
        num_decoder_layers: layers of the decoder; None for as many.
        num_heads: heads of each attention.
        width: size of a token.
        hidden_width: of the feed-forward networks.
        context: tokens of a source or of a target at most.
        dropout: fraction of values that are set to 0 in training.
        pre_norm: norm the input of each part of a layer in place of its sum.
        shared: let sources and targets have one embedding; the last layer has the weights of the targets' one anyway.
    """

    def __init__(
        self,
        source_vocabulary_size: int = 8000,
        target_vocabulary_size: int = 8000,
        num_layers: int = 6,
        num_decoder_layers: int | None = None,
        num_heads: int = 8,
        width: int = 512,
        hidden_width: int = 2048,
        context: int = 256,
        dropout: float = 0.1,
        pre_norm: bool = False,
        shared: bool = False,
    ) -> None:
        check_at_least(2, source_vocabulary_size=source_vocabulary_size, target_vocabulary_size=target_vocabulary_size)
        check_at_least_one(num_layers=num_layers, num_decoder_layers=num_decoder_layers, context=context)
        check_dropout(dropout)
        if shared and source_vocabulary_size != target_vocabulary_size:
            raise UserError(
                f"one embedding is shared, but there are {source_vocabulary_size} token ids of sources and"
                f" {target_vocabulary_size} of targets: give the data shared=true, and both sizes the same number"
            )
        super().__init__()
        self.source_vocabulary_size, self.target_vocabulary_size = source_vocabulary_size, target_vocabulary_size
        self.num_layers, self.num_decoder_layers, self.num_heads = num_layers, num_decoder_layers, num_heads
        self.width, self.hidden_width, self.context, self.dropout = width, hidden_width, context, dropout
        self.pre_norm, self.shared = pre_norm, shared
        self.target_embedding = nn.Embedding(target_vocabulary_size, width)
        self.source_embedding = None if shared else nn.Embedding(source_vocabulary_size, width)
        self.register_buffer("positions", sinusoidal_positions(context, width), persistent=False)
        self.encoder = nn.ModuleList(
            EncoderLayer(width, num_heads, hidden_width, dropout, pre_norm) for _ in range(num_layers)
        )
        self.decoder = nn.ModuleList(
            DecoderLayer(width, num_heads, hidden_width, context, dropout, pre_norm)
            for _ in range(num_decoder_layers or num_layers)
        )
        # With the norms before each part there is none behind the last one.
        self.encoder_norm = nn.LayerNorm(width) if pre_norm else nn.Identity()
        self.decoder_norm = nn.LayerNorm(width) if pre_norm else nn.Identity()
        self.apply(_initialize)

    def forward(self, source: Tensor, inputs: Tensor) -> Tensor:
        """Map sources ``(B, S)`` and targets' tokens ``(B, T)`` int64 to the logits ``(B, T, V)`` behind each."""
        return self.decode(inputs, self.encode(source))[0]

    def encode(self, source: Tensor) -> TransformerState:
        """Return the state after reading sources ``(B, S)`` int64, padded with 0 at their ends."""
        inside = source != PAD
        x = self._embedded(source, self.source_embedding or self.target_embedding, 0)
        for layer in self.encoder:
            x = layer(x, inside)
        x = self.encoder_norm(x)
        # What is attended to stays the same for all tokens that are written.
        layers = (layer for layer in self.decoder if isinstance(layer, DecoderLayer))
        known = [layer.source_attention.keys_values(x) for layer in layers]
        return TransformerState([DecoderLayerState(None, one) for one in known], inside)

    def decode(self, tokens: Tensor, state: TransformerState) -> tuple[Tensor, TransformerState]:
        """Return the logits ``(B, T, V)`` after each of ``tokens`` ``(B, T)``, and the state behind them.

        Raises:
            UserError: the tokens and those that were read before are more than ``context``.
        """
        own = state.layers[0].own
        x = self._embedded(tokens, self.target_embedding, 0 if own is None else own.length)
        layers = []
        for layer, kept in zip(self.decoder, state.layers, strict=True):
            x, kept = layer(x, kept, state.inside)
            layers.append(kept)
        logits = F.linear(self.decoder_norm(x), self.target_embedding.weight)
        return logits, TransformerState(layers, state.inside)

    def select(self, state: TransformerState, rows: Tensor) -> TransformerState:
        """Return the state of some ``rows`` ``(N,)``."""
        return TransformerState([layer.select(rows) for layer in state.layers], state.inside.index_select(0, rows))

    def _embedded(self, tokens: Tensor, embedding: nn.Embedding, before: int) -> Tensor:
        end = before + tokens.shape[1]
        if end > self.context:
            raise UserError(
                f"there are {end} tokens to read, but the network has context={self.context}: give it a longer context,"
                " or the data a max_length"
            )
        x = embedding(tokens) * self.width**0.5 + self.get_buffer("positions")[before:end]
        return F.dropout(x, self.dropout, self.training)


class Transformer(SequenceToSequence):
    """An encoder and a decoder of attention alone, that write one sequence for another.

    Paper: Vaswani et al. 2017, Attention Is All You Need.
    Books: foster F9.1.

    Args:
        network: in place of the one that the next arguments describe, with the methods of
            ``TransformerEncoderDecoder``.
        source_vocabulary_size: number of token ids of sources, that of padding included.
        target_vocabulary_size: number of token ids of targets.
        num_layers: layers of the encoder.
        num_decoder_layers: layers of the decoder; None for as many.
        num_heads: heads of each attention.
        width: size of a token.
        hidden_width: of the feed-forward networks.
        context: tokens of a source or of a target at most.
        dropout: fraction of values that are set to 0 in training.
        pre_norm: norm the input of each part of a layer in place of its sum.
        shared: let sources and targets have one embedding, for data with ``shared``.
        optimizer: makes the optimizer; the paper's has betas of 0.9 and 0.98, as the configuration does.
        scheduler: makes a schedule of the learning rate, stepped after each training step; None keeps it constant.
        label_smoothing: the part of a target's probability that is spread over all tokens, in [0, 1].
        length_penalty: of the beam: 0 compares the probabilities of whole targets, 1 those of a token in the mean.
        **kwargs: of ``SequenceToSequence``.

    Raises:
        UserError: for a number out of range, and sequences longer than ``context``.
    """

    small_arguments: ClassVar[dict[str, Any]] = {
        "source_vocabulary_size": 60,
        "target_vocabulary_size": 60,
        "num_layers": 1,
        "num_heads": 2,
        "width": 16,
        "hidden_width": 16,
        "context": 64,
        "max_length": 12,
        "beam": 2,
        "scheduler": None,
    }

    def __init__(
        self,
        network: nn.Module | None = None,
        source_vocabulary_size: int = 8000,
        target_vocabulary_size: int = 8000,
        num_layers: int = 6,
        num_decoder_layers: int | None = None,
        num_heads: int = 8,
        width: int = 512,
        hidden_width: int = 2048,
        context: int = 256,
        dropout: float = 0.1,
        pre_norm: bool = False,
        shared: bool = False,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=7e-4, eps=1e-9),
        scheduler: LRSchedulerCallable | None = lambda o: InverseSquareRootLR(o, warmup_steps=4000),
        label_smoothing: float = 0.1,
        length_penalty: float = 0.6,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            network=network
            or TransformerEncoderDecoder(
                *(source_vocabulary_size, target_vocabulary_size, num_layers, num_decoder_layers, num_heads, width),
                *(hidden_width, context, dropout, pre_norm, shared),
            ),
            source_vocabulary_size=source_vocabulary_size,
            target_vocabulary_size=target_vocabulary_size,
            optimizer=optimizer,
            scheduler=scheduler,
            label_smoothing=label_smoothing,
            length_penalty=length_penalty,
            **kwargs,
        )

    @torch.no_grad()
    def attention_maps(self, text: str) -> AttentionMap:
        """Return where each head of the decoder looks in ``text`` while it writes greedily.

        Raises:
            UserError: ``text`` is none that it can read.
        """
        source = self.source_of(text).to(self.device)[None]
        (written,) = self.write(source)
        with watched_attention(self.network) as found:
            self(source, torch.tensor([[self.start_id, *written]], device=self.device))
        layers = (weights for name, weights in found.items() if name.endswith("source_attention"))
        return self.attention_map(source[0], written, named_heads(layers))


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=module.embedding_dim**-0.5)
