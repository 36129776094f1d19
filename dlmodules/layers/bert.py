"""The network of BERT: an encoder that reads a text in both directions at once."""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.errors import UserError
from dlmodules.layers.encoder_decoder import EncoderLayer
from dlmodules.protocols import PAD
from dlmodules.validation.arguments import check_at_least, check_at_least_one, check_dropout

NORM_EPS = 1e-12
Positions = Literal["learned", "relative"]


class BertEncoder(nn.Module):
    """Embedded tokens, positions and segments, and the layers of a Transformer's encoder.

    The defaults are those of BERT's base network, of 109 million parameters.

    Args:
        vocabulary_size: number of token ids; 0 is padding, at the end of a text.
        context: tokens that it can read at once.
        num_layers: layers, one above the other.
        num_heads: heads of each attention.
        width: size of a token.
        hidden_width: of the feed-forward networks; None for four times ``width``.
        segments: kinds of segments, such as a first and a second sentence.
        dropout: fraction of values that are set to 0 in training.
        positions: ``learned`` embeddings, as in the paper, or ``relative``: what each head adds for a distance, by
            which a small network learns to look at neighbours thousands of steps earlier.

    Raises:
        UserError: for a number out of range, and positions that are not known.
    """

    def __init__(
        self,
        vocabulary_size: int = 30_522,
        context: int = 512,
        num_layers: int = 12,
        num_heads: int = 12,
        width: int = 768,
        hidden_width: int | None = None,
        segments: int = 2,
        dropout: float = 0.1,
        positions: Positions = "learned",
    ) -> None:
        check_at_least(2, vocabulary_size=vocabulary_size, context=context)
        check_at_least_one(num_layers=num_layers, hidden_width=hidden_width, segments=segments)
        check_dropout(dropout)
        if positions not in ("learned", "relative"):
            raise UserError(f"positions is {positions!r}; it must be learned or relative")
        super().__init__()
        self.positions = positions
        self.vocabulary_size, self.context, self.num_layers, self.num_heads = (
            vocabulary_size,
            context,
            num_layers,
            num_heads,
        )
        self.width, self.hidden_width, self.segments, self.dropout = width, hidden_width, segments, dropout
        self.embedding = nn.Embedding(vocabulary_size, width)
        self.position_embedding = nn.Embedding(context, width) if positions == "learned" else None
        self.segment_embedding = nn.Embedding(segments, width)
        self.embedding_norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.layers = nn.ModuleList(
            EncoderLayer(
                *(width, num_heads, hidden_width or 4 * width, dropout),
                activation="exact_gelu",
                norm_eps=NORM_EPS,
                by_distance=positions == "relative",
            )
            for _ in range(num_layers)
        )
        self.apply(initialize_bert)

    def forward(self, tokens: Tensor, segments: Tensor | None = None) -> Tensor:
        """Return what each token is read as, ``(B, T, width)``.

        Args:
            tokens: ``(B, T)`` int64, padded with 0 at their ends.
            segments: which segment each is of, ``(B, T)`` int64; None for all of the first.

        Raises:
            UserError: there are more tokens than ``context``.
        """
        length = tokens.shape[1]
        if length > self.context:
            raise UserError(
                f"there are {length} tokens to read, but the network has context={self.context}: give it a longer"
                " context, or the data shorter texts"
            )
        kinds = self.segment_embedding.weight[0] if segments is None else self.segment_embedding(segments)
        x = self.embedding(tokens) + kinds
        if self.position_embedding is not None:
            x = x + self.position_embedding.weight[:length]
        x = F.dropout(self.embedding_norm(x), self.dropout, self.training)
        inside = tokens != PAD
        for layer in self.layers:
            x = layer(x, inside)
        read: Tensor = x
        return read


class Pooler(nn.Module):
    """A whole text by its first token.

    Args:
        width: size of a token.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, width)
        self.apply(initialize_bert)

    def forward(self, read: Tensor) -> Tensor:
        """Map tokens as they are read, ``(B, T, width)``, to texts ``(B, width)``."""
        whole: Tensor = self.hidden(read[:, 0]).tanh()
        return whole


def mean_of_tokens(read: Tensor, tokens: Tensor) -> Tensor:
    """Return texts ``(B, width)``: the means of their ``tokens`` ``(B, T)`` as they are read, padding left out."""
    inside = (tokens != PAD)[:, :, None]
    return (read * inside).sum(dim=1) / inside.sum(dim=1)


def initialize_bert(module: nn.Module) -> None:
    """Draw the weights of ``module`` as the paper does: normal with a standard deviation of 0.02, biases 0."""
    if isinstance(module, (nn.Linear, nn.Embedding)):
        nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
