"""GPT: a Transformer that predicts the next token from the ones before."""

from collections.abc import Sequence
from math import sqrt
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.layers.attention import named_heads, watched_attention
from dlmodules.layers.ngram_embedding import NGramEmbedding
from dlmodules.layers.transformer import Activation, LayerState, Norm, TransformerLayer, make_norm
from dlmodules.protocols import AttentionMap
from dlmodules.text.neural import NeuralLanguageModel
from dlmodules.validation.arguments import check_at_least, check_at_least_one, check_dropout, check_positive


class NetworkState(NamedTuple):
    """What a network goes on with.

    Args:
        layers: the state of each layer.
        last_tokens: the last tokens ``(B, N)`` that were read, for a network with embeddings of several; else None.
    """

    layers: list[LayerState]
    last_tokens: Tensor | None


class CausalTransformer(nn.Module):
    """Embedded tokens and positions, Transformer layers, a norm, and a linear layer to the logits of the next token.

    The defaults are those of GPT-2's smallest network.

    Args:
        vocabulary_size: number of token ids.
        context: tokens that it can read at once.
        num_layers: layers, one above the other.
        num_heads: heads of each attention.
        width: size of a token.
        dropout: fraction of values that are set to 0 in training.
        bias: whether linear layers and norms have biases.
        positions: ``learned`` embeddings of the positions, or ``rotary`` queries and keys.
        norm: ``layer`` or ``rms``.
        activation: ``gelu`` or ``squared_relu``.
        qk_norm: norm queries and keys.
        tied: let the last layer have the weights of the embedding.
        zero_init: begin with 0 in the last linear layers of attention and feed-forward networks, so that each layer
            begins as the identity; else with small weights.
        value_residual: mix the values of the first layer into those of the others.
        token_shift: mix the token before into each one, in attention and in feed-forward networks.
        embedding_std: standard deviation of the embeddings of tokens, and of pairs of them, at the start.
        ngram_rows: of tables of embeddings of the last two tokens, of the last three and so on, which are added to that
            of each token, see ``NGramEmbedding``.
        ngram_dropout: fraction of those embeddings that are left out in training.
    """

    def __init__(
        self,
        vocabulary_size: int = 50_257,
        context: int = 1024,
        num_layers: int = 12,
        num_heads: int = 12,
        width: int = 768,
        dropout: float = 0.0,
        bias: bool = True,
        positions: Literal["learned", "rotary"] = "learned",
        norm: Norm = "layer",
        activation: Activation = "gelu",
        qk_norm: bool = False,
        tied: bool = True,
        zero_init: bool = False,
        value_residual: bool = False,
        token_shift: bool = False,
        embedding_std: float = 0.02,
        ngram_rows: Sequence[int] = (),
        ngram_dropout: float = 0.0,
    ) -> None:
        check_at_least(2, vocabulary_size=vocabulary_size, context=context)
        check_at_least_one(num_layers=num_layers)
        check_positive(embedding_std=embedding_std)
        check_dropout(dropout)
        for name, value, known in (
            ("positions", positions, ("learned", "rotary")),
            ("norm", norm, ("layer", "rms")),
            ("activation", activation, ("gelu", "squared_relu")),
        ):
            if value not in known:
                raise UserError(f"{name} is {value!r}; it must be {' or '.join(known)}")
        super().__init__()
        self.vocabulary_size, self.context, self.num_layers, self.num_heads = (
            vocabulary_size,
            context,
            num_layers,
            num_heads,
        )
        self.width, self.dropout, self.bias, self.positions, self.norm = width, dropout, bias, positions, norm
        self.activation, self.qk_norm, self.tied, self.zero_init = activation, qk_norm, tied, zero_init
        self.value_residual, self.token_shift, self.embedding_std = value_residual, token_shift, embedding_std
        self.embedding = nn.Embedding(vocabulary_size, width)
        self.position_embedding = nn.Embedding(context, width) if positions == "learned" else None
        self.ngrams: NGramEmbedding | None = None
        if ngram_rows:
            self.ngrams = NGramEmbedding(vocabulary_size, ngram_rows, width, embedding_std, ngram_dropout)
        self.layers = nn.ModuleList(
            TransformerLayer(
                *(width, num_heads, context, dropout, bias, norm, activation),
                rotary=positions == "rotary",
                qk_norm=qk_norm,
                value_residual=value_residual and number > 0,
                token_shift=token_shift,
            )
            for number in range(num_layers)
        )
        self.last_norm = make_norm(norm, width, bias)
        self.head = None if tied else nn.Linear(width, vocabulary_size, bias=False)
        self.apply(_initialize)
        nn.init.normal_(self.embedding.weight, std=embedding_std)
        if self.ngrams is not None:
            self.ngrams.reset_parameters()
        # As many are added up as there are layers, twice (Radford et al. 2019).
        std = 0.0 if zero_init else 0.02 / sqrt(2 * num_layers)
        for name, weights in self.layers.named_parameters():
            if name.endswith("output.weight"):
                nn.init.normal_(weights, std=std)
        if self.head is not None and zero_init:
            nn.init.zeros_(self.head.weight)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map token ids ``(B, T)`` int64, T at most ``context``, to the logits ``(B, T, V)`` of the next ones."""
        return self.read(tokens, None)[0]

    def read(self, tokens: Tensor, state: NetworkState | None) -> tuple[Tensor, NetworkState]:
        """Return the logits ``(B, T, V)`` after each of ``tokens`` ``(B, T)``, and the state behind them.

        Raises:
            UserError: the tokens and those that were read before are more than ``context``.
        """
        before = 0 if state is None else state.layers[0].known.length
        if before + tokens.shape[1] > self.context:
            raise UserError(
                f"there are {before + tokens.shape[1]} tokens to read, but the network has context={self.context}:"
                " give the data and the network the same context"
            )
        x, last_tokens = self.embedding(tokens), None
        if self.ngrams is not None:
            of_runs, last_tokens = self.ngrams(tokens, None if state is None else state.last_tokens)
            x = x + of_runs
        if self.position_embedding is not None:
            x = x + self.position_embedding.weight[before : before + tokens.shape[1]]
        x = F.dropout(x, self.dropout, self.training)
        states: list[LayerState] = []
        first_values: Tensor | None = None
        for number, layer in enumerate(self.layers):
            x, values, kept = layer(x, first_values, None if state is None else state.layers[number])
            first_values = values if number == 0 else first_values
            states.append(kept)
        last = self.embedding.weight if self.head is None else self.head.weight
        return F.linear(self.last_norm(x), last), NetworkState(states, last_tokens)

    def select(self, state: NetworkState, rows: Tensor) -> NetworkState:
        """Return the state of some ``rows`` ``(N,)``."""
        last_tokens = None if state.last_tokens is None else state.last_tokens.index_select(0, rows)
        return NetworkState([layer.select(rows) for layer in state.layers], last_tokens)


class ReadSoFar(NamedTuple):
    """The state of a GPT that generates: the tokens ``(B, T)`` that it has read, and what its network keeps of them."""

    tokens: Tensor
    network: NetworkState | None


class GPT(NeuralLanguageModel):
    """A Transformer with causal attention that predicts the next token: GPT-2, and by options a modern small one.

    By default it is GPT-2's smallest, of 124,439,808 parameters. Generation keeps the keys and values of what was
    read. Where a text grows longer than ``context``, the last half of it is read anew.

    Paper: Radford et al. 2019, Language Models are Unsupervised Multitask Learners.
    Books: foster F9.3.

    Args:
        network: in place of the one that the next arguments describe, such as a ``CausalTransformer``.
        vocabulary_size: number of token ids, that of padding included.
        context: tokens that it can read at once; the data's must not be longer.
        num_layers: layers, one above the other.
        num_heads: heads of each attention.
        width: size of a token.
        dropout: fraction of values that are set to 0 in training.
        bias: whether linear layers and norms have biases.
        positions: ``learned`` embeddings of the positions, or ``rotary`` queries and keys.
        norm: ``layer`` or ``rms``.
        activation: ``gelu`` or ``squared_relu``.
        qk_norm: norm queries and keys.
        tied: let the last layer have the weights of the embedding.
        zero_init: begin each layer as the identity.
        value_residual: mix the values of the first layer into those of the others.
        token_shift: mix the token before into each one, in attention and in feed-forward networks.
        embedding_std: standard deviation of the embeddings of tokens, and of pairs of them, at the start; where the
            last layer is not tied to them, 1 lets a small network learn faster.
        ngram_rows: of tables of embeddings of the last two tokens, of the last three and so on, which are added to that
            of each token, see ``NGramEmbedding``; none by default.
        ngram_dropout: fraction of those embeddings that are left out in training.
        optimizer: makes the optimizer; matrices alone are decayed.
        scheduler: makes a schedule of the learning rate, stepped after each training step; None keeps it constant.

    Raises:
        UserError: for a number out of range, and windows longer than ``context``.
    """

    small_arguments: ClassVar[dict[str, Any]] = {
        "vocabulary_size": 100,
        "context": 16,
        "num_layers": 2,
        "num_heads": 2,
        "width": 64,
        "scheduler": None,
    }

    def __init__(
        self,
        network: nn.Module | None = None,
        vocabulary_size: int = 50_257,
        context: int = 1024,
        num_layers: int = 12,
        num_heads: int = 12,
        width: int = 768,
        dropout: float = 0.0,
        bias: bool = True,
        positions: Literal["learned", "rotary"] = "learned",
        norm: Norm = "layer",
        activation: Activation = "gelu",
        qk_norm: bool = False,
        tied: bool = True,
        zero_init: bool = False,
        value_residual: bool = False,
        token_shift: bool = False,
        embedding_std: float = 0.02,
        ngram_rows: Sequence[int] = (),
        ngram_dropout: float = 0.0,
        optimizer: OptimizerCallable = lambda p: torch.optim.AdamW(p, lr=6e-4, weight_decay=0.1),
        scheduler: LRSchedulerCallable | None = None,
    ) -> None:
        super().__init__(
            network=network
            or CausalTransformer(
                *(vocabulary_size, context, num_layers, num_heads, width, dropout, bias, positions, norm, activation),
                *(qk_norm, tied, zero_init, value_residual, token_shift, embedding_std, ngram_rows, ngram_dropout),
            ),
            vocabulary_size=vocabulary_size,
            optimizer=optimizer,
            scheduler=scheduler,
        )
        self.context = context

    @override
    def start(self, context: Tensor) -> ReadSoFar:
        tokens = context[:, -(self.context - 1) :]
        return ReadSoFar(tokens, super().start(tokens))

    @override
    def step(self, tokens: Tensor, state: ReadSoFar) -> tuple[Tensor, ReadSoFar]:
        if state.tokens.shape[1] == self.context:
            state = self.start(state.tokens[:, -(self.context // 2) :])
        logits, network = super().step(tokens, state.network)
        return logits, ReadSoFar(torch.cat([state.tokens, tokens[:, None]], dim=1), network)

    @override
    def select(self, state: ReadSoFar, rows: Tensor) -> ReadSoFar:
        return ReadSoFar(state.tokens.index_select(0, rows), super().select(state.network, rows))

    @torch.no_grad()
    def attention_maps(self, text: str) -> AttentionMap:
        """Return where each token of ``text``, of which the last ``context`` are read, looks among those before it.

        Raises:
            UserError: the text has no tokens, or one that the model does not know.
        """
        tokens = self.tokens_of(text)[:, -self.context :]
        with watched_attention(self.network) as found:
            self(tokens)
        shown = [self.known_tokenizer().decode([token]) for token in tokens[0].tolist()]
        return AttentionMap(shown, shown, named_heads(found.values()))

    @override
    def nats_of_sequence(self, tokens: Tensor) -> Tensor:
        """Score windows of ``context`` that overlap by half: each token has half a context before it at least."""
        parts, scored = [], 0  # tokens after the first that have a likelihood
        while scored < tokens.shape[1] - 1:
            first = max(0, scored - self.context // 2)
            window = tokens[:, first : first + self.context + 1]
            parts.append(super().nats_of_sequence(window)[:, scored - first :])
            scored = first + window.shape[1] - 1
        return torch.cat(parts, dim=1)


def _initialize(module: nn.Module) -> None:
    if isinstance(module, (nn.Linear, nn.Embedding)):
        nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
