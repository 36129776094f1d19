"""A classifier of texts that begins with what BERT has learned of text without labels."""

from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.checkpoints.beginnings import BeginsWithOthers
from dlmodules.checkpoints.loading import load_checkpoint
from dlmodules.classifiers.text import TextClassifier
from dlmodules.classifiers.text_networks import check_tokens, text_first
from dlmodules.errors import UserError
from dlmodules.layers.bert import BertEncoder, Pooler, Positions, initialize_bert, mean_of_tokens
from dlmodules.protocols import PAD
from dlmodules.validation.arguments import check_dropout

ENCODER, POOLER = "network.", "next_head.pooler."  # in the checkpoint of BERT's own module


class BertTextNetwork(nn.Module):
    """BERT's encoder, and a linear layer over the whole text.

    Args:
        num_classes: number of classes.
        vocabulary_size, context, num_layers, num_heads, width, hidden_width, dropout, positions: of ``BertEncoder``.
        class_id: the token id that is put before each text, that of ``[CLS]``; None for none.
        pooling: what stands for the whole text: its first token as ``class``, or the ``mean`` of all.
        word_dropout: part of the tokens that are masked in training.
        mask_id: the token id that masks, that of ``[MASK]``.
    """

    def __init__(
        self,
        num_classes: int = 2,
        vocabulary_size: int = 30_522,
        context: int = 512,
        num_layers: int = 12,
        num_heads: int = 12,
        width: int = 768,
        hidden_width: int | None = None,
        dropout: float = 0.1,
        class_id: int | None = 2,
        pooling: Literal["class", "mean"] = "class",
        positions: Positions = "learned",
        word_dropout: float = 0.0,
        mask_id: int = 4,
    ) -> None:
        check_dropout(word_dropout, "word_dropout")
        if pooling not in ("class", "mean"):
            raise UserError(f"pooling is {pooling!r}; it must be class or mean")
        super().__init__()
        self.num_classes, self.vocabulary_size, self.context, self.num_layers = (
            num_classes,
            vocabulary_size,
            context,
            num_layers,
        )
        self.num_heads, self.width, self.hidden_width, self.dropout = num_heads, width, hidden_width, dropout
        self.class_id, self.pooling, self.positions = class_id, pooling, positions
        self.word_dropout, self.mask_id = word_dropout, mask_id
        self.encoder = BertEncoder(
            *(vocabulary_size, context, num_layers, num_heads, width, hidden_width),
            dropout=dropout,
            positions=positions,
        )
        self.pooler = Pooler(width) if pooling == "class" else None
        self.head = nn.Linear(width, num_classes)
        initialize_bert(self.head)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map token ids ``(B, T)`` int64, padded with 0 at either end, to logits ``(B, num_classes)``."""
        check_tokens(tokens, self.vocabulary_size)
        tokens, _ = text_first(tokens)  # positions are counted from its beginning
        if self.training and self.word_dropout > 0:
            dropped = (torch.rand(tokens.shape, device=tokens.device) < self.word_dropout) & (tokens != PAD)
            tokens = tokens.masked_fill(dropped, self.mask_id)
        if self.class_id is not None:
            tokens = F.pad(tokens, (1, 0), value=self.class_id)
        read = self.encoder(tokens)
        whole = mean_of_tokens(read, tokens) if self.pooler is None else self.pooler(read)
        logits: Tensor = self.head(F.dropout(whole, self.dropout, self.training))
        return logits


class BERTClassifier(BeginsWithOthers, TextClassifier):
    """Classifies texts by BERT's encoder, all of whose weights are tuned.

    Batches are ``(tokens, y)``: token ids ``(B, T)`` int64, padded with 0 at either end, and classes ``(B,)``.

    Paper: Devlin et al. 2018, BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding.
    Books: foster F9.2.

    Args:
        network: in place of the one that the next arguments describe, such as a ``BertTextNetwork``.
        num_classes: number of classes; labels are ``(B,)`` int64 in ``[0, num_classes)``.
        pretrained: checkpoint of a ``BERT`` of the same sizes, whose encoder this one begins with; None begins anew.
        vocabulary_size: number of token ids.
        context: tokens that it can read at once, that before a text included.
        num_layers: layers, one above the other.
        num_heads: heads of each attention.
        width: size of a token.
        hidden_width: of the feed-forward networks; None for four times ``width``.
        dropout: fraction of values that are set to 0 in training.
        class_id: the token id that is put before each text, that of ``[CLS]``; None for none.
        pooling: what stands for the whole text: its first token as ``class``, or the ``mean`` of all.
        positions: ``learned`` embeddings, or ``relative``, see ``BertEncoder``.
        word_dropout: part of the tokens of a text that are masked in training, as they were when BERT learned without
            labels: no single word can be learned by heart.
        mask_id: the token id that masks, that of ``[MASK]``.
        optimizer: makes the optimizer.
        **kwargs: of ``Classifier``.

    Raises:
        UserError: for a number out of range, and a checkpoint of another BERT.
    """

    small_arguments: ClassVar[dict[str, Any]] = {
        **{"vocabulary_size": 60, "context": 80, "num_layers": 1, "num_heads": 2, "width": 16, "dropout": 0.0},
        **{"pretrained": None, "scheduler": None},
    }

    def __init__(
        self,
        network: nn.Module | None = None,
        num_classes: int = 2,
        pretrained: str | None = None,
        vocabulary_size: int = 30_522,
        context: int = 512,
        num_layers: int = 12,
        num_heads: int = 12,
        width: int = 768,
        hidden_width: int | None = None,
        dropout: float = 0.1,
        class_id: int | None = 2,
        pooling: Literal["class", "mean"] = "class",
        positions: Positions = "learned",
        word_dropout: float = 0.0,
        mask_id: int = 4,
        optimizer: OptimizerCallable = lambda p: torch.optim.AdamW(p, lr=5e-5, weight_decay=0.01),
        **kwargs: Any,
    ) -> None:
        super().__init__(
            network=network
            or BertTextNetwork(
                *(num_classes, vocabulary_size, context, num_layers, num_heads, width, hidden_width, dropout),
                *(class_id, pooling, positions, word_dropout, mask_id),
            ),
            num_classes=num_classes,
            optimizer=optimizer,
            **kwargs,
        )
        self.pretrained = pretrained
        self.example_input_array = torch.tensor([[4, 5, 0, 0], [6, 7, 8, 9], [0, 2, 3, 2], [1, 9, 1, 3]])

    @override
    def begin(self) -> None:
        """Begin with the weights of ``pretrained``."""
        if self.pretrained is not None:
            begin_with(self.network, self.pretrained)


def begin_with(network: nn.Module, path: str) -> None:
    """Give the encoder of ``network``, and its pooler where both have one, the weights in the checkpoint of a ``BERT``.

    Raises:
        UserError: the file cannot be read, or is of something else than a BERT of the sizes of ``network``.
    """
    state = load_checkpoint(Path(path).expanduser())["state_dict"]
    for beginning, name in ((ENCODER, "encoder"), (POOLER, "pooler")):
        part = getattr(network, name, None)
        found = {key.removeprefix(beginning): value for key, value in state.items() if key.startswith(beginning)}
        if part is not None and (found or name == "encoder"):
            _check_same_sizes(part.state_dict(), found, path)
            part.load_state_dict(found)


def _check_same_sizes(expected: dict[str, Tensor], found: dict[str, Tensor], path: str) -> None:
    for name, tensor in expected.items():
        if name not in found:
            raise UserError(
                f"{path} is no checkpoint of a BERT with as many layers and such positions: it has no {name}"
            )
        if found[name].shape != tensor.shape:
            raise UserError(
                f"{path} is of a BERT of other sizes: its {name} is {tuple(found[name].shape)}, not"
                f" {tuple(tensor.shape)}"
            )
    if len(found) > len(expected):
        raise UserError(f"{path} is of a BERT with more layers, or other positions, than the classifier")
