"""BERT: a Transformer's encoder that restores masked tokens and tells whether a sentence follows on another."""

from typing import Any, ClassVar

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.checkpoints.own_networks import NamesOwnNetworks
from dlmodules.errors import UserError
from dlmodules.layers.attention import named_heads, watched_attention
from dlmodules.layers.bert import NORM_EPS, BertEncoder, Pooler, Positions, initialize_bert, mean_of_tokens
from dlmodules.protocols import IGNORED, PAD, AttentionMap
from dlmodules.sequences.masking import CLASS, MASK, SEPARATOR, Masking
from dlmodules.text.tokenized import TokenizedModule
from dlmodules.training.finite import worst_where_no_number
from dlmodules.training.parameter_groups import decayed_groups
from dlmodules.training.schedules import with_schedule
from dlmodules.training.stage_means import StageMeans
from dlmodules.training.step_logging import log_losses
from dlmodules.validation.arguments import check_at_least, check_at_least_one
from dlmodules.validation.batches import fields_of
from dlmodules.validation.device_reads import may_read
from dlmodules.validation.tokens import check_token_range

FIRST_WORD = 5  # behind padding, the unknown word and the three marks, where there is no tokenizer to ask
SPECIAL_IDS = {CLASS: 2, SEPARATOR: 3, MASK: 4}


class MaskedHead(nn.Module):
    """What the logits of masked tokens are made of: a layer and a norm; their products with the embedding, and a bias.

    Args:
        width: size of a token.
        vocabulary_size: number of token ids.
    """

    def __init__(self, width: int, vocabulary_size: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.bias = nn.Parameter(torch.zeros(vocabulary_size))
        self.apply(initialize_bert)

    def forward(self, read: Tensor) -> Tensor:
        """Map tokens as they are read, ``(N, width)``, to what is compared with each embedding, ``(N, width)``."""
        states: Tensor = self.norm(F.gelu(self.hidden(read)))
        return states

    def logits(self, read: Tensor, embedding: Tensor) -> Tensor:
        """Return the logits ``(N, V)`` of tokens as they are read by the ``embedding`` ``(V, width)``."""
        return F.linear(self(read), embedding, self.bias)


class NextHead(nn.Module):
    """The logits of whether the second segment of a text follows on the first.

    Args:
        width: size of a token.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.pooler = Pooler(width)
        self.output = nn.Linear(width, 2)
        initialize_bert(self.output)

    def forward(self, read: Tensor) -> Tensor:
        """Map tokens as they are read, ``(B, T, width)``, to logits ``(B, 2)``."""
        logits: Tensor = self.output(self.pooler(read))
        return logits


class BERT(NamesOwnNetworks, TokenizedModule):
    """A Transformer that reads in both directions, trained on text without labels.

    Batches are ``(tokens, segments, follows)``: token ids ``(B, T)`` int64 of two segments, ``[CLS] A [SEP] B [SEP]``,
    padded with 0; which of them each token is of, ``(B, T)``; and whether B follows on A, ``(B,)``, 1 or 0. What is
    hidden is drawn anew in each training step, and is the same in each validation. ``BERTClassifier`` begins with what
    was learned here.

    Logged, for training, validation and test: ``loss``, the sum of ``masked_loss``, in nats a hidden token, and
    ``next_loss``; for validation and test also ``masked_accuracy`` and ``next_accuracy``.

    Paper: Devlin et al. 2018, BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding.
    Books: foster F9.2.

    Args:
        network: in place of the one that the next arguments describe, such as a ``BertEncoder``.
        vocabulary_size: number of token ids, those of padding and the marks included.
        context: tokens that it can read at once.
        num_layers: layers, one above the other.
        num_heads: heads of each attention.
        width: size of a token.
        hidden_width: of the feed-forward networks; None for four times ``width``.
        dropout: fraction of values that are set to 0 in training.
        positions: ``learned`` embeddings, or ``relative``, see ``BertEncoder``.
        mask_share: the part of the tokens that are to be restored, in (0, 1).
        replaced: of those, the part that another token stands for.
        kept: of those, the part that stay as they are; a mask stands for the rest.
        next_sentence: whether it learns to tell what follows on what.
        optimizer: makes the optimizer; matrices alone are decayed.
        scheduler: makes a schedule of the learning rate, stepped after each training step; None keeps it constant.

    Raises:
        UserError: for a number out of range, and texts longer than ``context``.
    """

    best_metric = ("val/loss", "min")
    small_arguments: ClassVar[dict[str, Any]] = {
        **{"vocabulary_size": 200, "context": 32, "num_layers": 1, "num_heads": 2, "width": 32, "dropout": 0.0},
        "scheduler": None,
    }

    def __init__(
        self,
        network: nn.Module | None = None,
        vocabulary_size: int = 30_522,
        context: int = 512,
        num_layers: int = 12,
        num_heads: int = 12,
        width: int = 768,
        hidden_width: int | None = None,
        dropout: float = 0.1,
        positions: Positions = "learned",
        mask_share: float = 0.15,
        replaced: float = 0.1,
        kept: float = 0.1,
        next_sentence: bool = True,
        optimizer: OptimizerCallable = lambda p: torch.optim.AdamW(p, lr=1e-4, weight_decay=0.01),
        scheduler: LRSchedulerCallable | None = None,
    ) -> None:
        check_at_least(FIRST_WORD + 1, vocabulary_size=vocabulary_size)
        masking = Masking(mask_share, replaced, kept)
        masking.check()
        super().__init__()
        save_portable_hyperparameters(self)
        self.network = network or BertEncoder(
            *(vocabulary_size, context, num_layers, num_heads, width, hidden_width),
            dropout=dropout,
            positions=positions,
        )
        self.masked_head = MaskedHead(width, vocabulary_size)
        self.next_head = NextHead(width) if next_sentence else None
        self.vocabulary_size, self.masking = vocabulary_size, masking
        self.optimizer, self.scheduler = optimizer, scheduler
        self.means = StageMeans(("masked_loss", "masked_accuracy", "next_loss", "next_accuracy"))

    @override
    def forward(self, tokens: Tensor, segments: Tensor | None = None) -> Tensor:
        """Return what each of ``tokens`` ``(B, T)`` is read as, ``(B, T, width)``."""
        read: Tensor = self.network(tokens, segments)
        return read

    def logits(self, read: Tensor) -> Tensor:
        """Return the logits ``(N, V)`` of tokens as they are read, ``(N, width)``."""
        embedding: Any = self.network.embedding  # a network with its parts
        return self.masked_head.logits(read, embedding.weight)

    def fields(self, batch: Any) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Return tokens, segments and whether they follow of a batch; None for what it does not have.

        Raises:
            UserError: the tokens are none, or are out of range.
        """
        tokens, *more = fields_of(batch)
        name = type(self).__name__
        if tokens.dtype != torch.int64 or tokens.ndim != 2:
            raise UserError(
                f"{name} takes token ids (B, T) int64, but the data give {tokens.dtype} {tuple(tokens.shape)}: choose"
                " another --data, such as SentencePairsDataModule"
            )
        segments = next((field.long() for field in more if field.shape == tokens.shape), None)
        follows = next((field.long() for field in more if field.shape == tokens.shape[:1]), None)
        if self.next_head is not None and follows is None:
            raise UserError(f"{name} needs batches of inputs and labels, tokens, segments and whether they follow")
        return tokens, segments, follows

    def losses(
        self, batch: Any, first: bool, generator: torch.Generator | None = None
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the losses of a batch and the verdicts, 1 where right, on hidden tokens and on segments."""
        tokens, segments, follows = self.fields(batch)
        if may_read(tokens, first):
            advice = "set the vocabulary_size of the model to that of the data"
            check_token_range(tokens, self.vocabulary_size, type(self).__name__, advice)
        hidden, targets = self.hide(tokens, generator)
        read = self(hidden, segments)
        chosen = targets != IGNORED
        logits = self.logits(read[chosen])
        losses = {"masked_loss": F.cross_entropy(logits.float(), targets[chosen], reduction="none")}
        right = {"masked_accuracy": (logits.argmax(dim=1) == targets[chosen]).float()}
        if self.next_head is not None and follows is not None:
            verdicts = self.next_head(read)
            losses["next_loss"] = F.cross_entropy(verdicts.float(), follows, reduction="none")
            right["next_accuracy"] = (verdicts.argmax(dim=1) == follows).float()
        return losses, right

    def hide(self, tokens: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Return tokens ``(B, T)`` with some hidden, and what those were, -100 elsewhere."""
        special = torch.tensor([PAD, *(self.id_of(mark) for mark in SPECIAL_IDS)], device=tokens.device)
        words = range(FIRST_WORD, len(self.tokenizer) if self.tokenizer is not None else self.vocabulary_size)
        return self.masking.hide(tokens, torch.isin(tokens, special), self.id_of(MASK), words, generator)

    def id_of(self, mark: str) -> int:
        """Return the token id of ``[CLS]``, ``[SEP]`` or ``[MASK]``."""
        found = None if self.tokenizer is None else self.tokenizer.id_of(mark)
        return SPECIAL_IDS[mark] if found is None else found

    @override
    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        losses, _ = self.losses(batch, batch_idx == 0)
        means = {f"train/{name}": _mean(loss) for name, loss in losses.items()}
        loss = torch.stack(list(means.values())).sum()
        log_losses(self, {"train/loss": loss, **means})
        return loss

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        return with_schedule(self.optimizer(decayed_groups(self)), self.scheduler, "step")

    @override
    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "val")

    @override
    def test_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "test")

    def _evaluate(self, batch: Any, batch_idx: int, stage: str) -> None:
        generator = torch.Generator(self.device).manual_seed(batch_idx)
        losses, right = self.losses(batch, batch_idx == 0, generator)
        means = self.means.of(stage)
        for name, values in {**losses, **right}.items():
            means[name].update(worst_where_no_number(values))

    @override
    def on_validation_epoch_end(self) -> None:
        self._log_evaluated("val")

    @override
    def on_test_epoch_end(self) -> None:
        self._log_evaluated("test")

    def _log_evaluated(self, stage: str) -> None:
        means = self.means.of(stage)
        found = {f"{stage}/{name}": mean.compute() for name, mean in means.items() if mean.update_count > 0}
        if not found:
            return
        for mean in means.values():
            mean.reset()
        losses = [value for name, value in found.items() if name.endswith("_loss")]
        self.log_dict({f"{stage}/loss": torch.stack(losses).sum(), **found}, prog_bar=True)

    @override
    def predict_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Return the texts of a batch as vectors ``(B, width)``: the means of their tokens as they are read."""
        tokens, segments, _ = self.fields(batch)
        return mean_of_tokens(self(tokens, segments), tokens)

    def example_batch(self, n: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return ``n`` made-up pairs of segments ``(n, 10)``, no two alike, and whether they follow."""
        words = (torch.arange(10) + 3 * torch.arange(n)[:, None]) % (self.vocabulary_size - FIRST_WORD) + FIRST_WORD
        words[:, 0] = self.id_of(CLASS)
        ends = torch.arange(n) % 7 + 2
        segments = (torch.arange(10) > ends[:, None]).long()
        words[torch.arange(n), ends] = self.id_of(SEPARATOR)
        fields = words, segments, torch.arange(n) % 2
        tokens, kinds, follows = (field.to(self.device) for field in fields)
        return tokens, kinds, follows

    @torch.no_grad()
    def fill(self, text: str, n: int = 5) -> list[list[tuple[str, float]]]:
        """Return the ``n`` most probable tokens for each ``[MASK]`` of ``text``, and their probabilities.

        Raises:
            UserError: there is no mask in the text, a number is out of range, or the model has no tokenizer.
        """
        check_at_least_one(n=n)
        tokenizer = self.known_tokenizer()
        tokens = self._tokens_of(text)
        places = (tokens[0] == self.id_of(MASK)).nonzero().flatten()
        if len(places) == 0:
            raise UserError(f"there is no {MASK} in the text: write it where a token is to be found")
        logits = self.logits(self(tokens)[0, places]).float()[:, : len(tokenizer)]
        logits[:, [PAD, *(self.id_of(mark) for mark in SPECIAL_IDS)]] = -torch.inf
        best = logits.softmax(dim=1).topk(min(n, len(tokenizer) - 1 - len(SPECIAL_IDS)), dim=1)
        return [
            [(tokenizer.decode([token]), value) for token, value in zip(*row, strict=True)]
            for row in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]

    @torch.no_grad()
    def attention_maps(self, text: str) -> AttentionMap:
        """Return where each token of ``text``, which may have masks, looks in both directions."""
        tokens = self._tokens_of(text)
        with watched_attention(self.network) as found:
            self(tokens)
        names = {self.id_of(mark): mark for mark in SPECIAL_IDS}
        shown = [names.get(token) or self.known_tokenizer().decode([token]) for token in tokens[0].tolist()]
        return AttentionMap(shown, shown, named_heads(found.values()))

    def _tokens_of(self, text: str) -> Tensor:
        tokenizer = self.known_tokenizer()
        ids = [self.id_of(CLASS)]
        for number, part in enumerate(text.split(MASK)):
            ids += [self.id_of(MASK)] if number else []
            ids += tokenizer.encode(part)
        if len(ids) == 1:
            raise UserError("the text has no tokens: give at least one")
        return torch.tensor([[*ids, self.id_of(SEPARATOR)]], device=self.device)


def _mean(values: Tensor) -> Tensor:
    """Return the mean of ``values`` ``(N,)``, and 0, with its gradients, where there are none."""
    return values.sum() / max(len(values), 1)
