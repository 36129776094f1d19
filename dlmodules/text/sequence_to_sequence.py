"""What all models share that write one sequence for another: their tokens, their losses, and how they are measured."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence
from torchmetrics import MeanMetric
from torchmetrics.text import SacreBLEUScore
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.checkpoints.own_networks import NamesOwnNetworks
from dlmodules.errors import UserError
from dlmodules.protocols import IGNORED, PAD, AttentionMap, Batch, HasPairTokenizers, HasTokenizer
from dlmodules.sequences.beam import Hypothesis, beam_search
from dlmodules.sequences.decoding import GREEDY
from dlmodules.sequences.generation import generated
from dlmodules.sequences.pairs import ends_of, source_ids
from dlmodules.sequences.tokenizers import SavedTokenizer, as_plain, from_plain
from dlmodules.sequences.vocabulary import STOP, UNKNOWN, CharacterVocabulary
from dlmodules.training.finite import worst_where_no_number
from dlmodules.training.parameter_groups import decayed_groups
from dlmodules.training.schedules import with_schedule
from dlmodules.training.step_logging import log_losses
from dlmodules.validation.arguments import check_at_least, check_at_least_one, check_fractions
from dlmodules.validation.batches import inputs_and_labels
from dlmodules.validation.device_reads import may_read
from dlmodules.validation.tokens import check_token_range

START_ID, STOP_ID = 2, 3  # where there is no tokenizer to ask


class EncodesAndDecodes(Protocol):
    """A network that reads a source, and then the tokens of a target, as many at a time as it is given."""

    def encode(self, source: Any) -> Any:
        """Return the state after reading sources, such as ``(B, S)`` int64, padded with 0 at their ends."""

    def decode(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Return the logits ``(B, T, V)`` of the token after each of ``tokens`` ``(B, T)``, and the state."""

    def select(self, state: Any, rows: Tensor) -> Any:
        """Return the state of some ``rows`` ``(N,)``."""


class GivenSource:
    """``Generates`` of targets for one batch of sources.

    Args:
        network: what reads and writes, in evaluation mode.
        source: the sources, as ``encode`` takes them, such as ``(B, S)`` int64.
    """

    def __init__(self, network: EncodesAndDecodes, source: Any) -> None:
        self.network, self.source = network, source

    def start(self, context: Tensor) -> Any:
        """Return the state after reading the sources and what their targets begin with, ``(B, T)``."""
        state = self.network.encode(self.source)
        return self.network.decode(context, state)[1] if context.shape[1] > 0 else state

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Read one token ``(B,)`` of each target; return the logits ``(B, V)`` of the next one, and the state."""
        logits, state = self.network.decode(tokens[:, None], state)
        return logits[:, -1], state

    def select(self, state: Any, rows: Tensor) -> Any:
        """Return the state of some ``rows`` ``(N,)``."""
        return self.network.select(state, rows)


class SequenceToSequence(NamesOwnNetworks):
    """Base of the models that write a target for a source, such as a translation.

    Batches are ``(source, target)``: token ids ``(B, S)`` and ``(B, T)`` int64, padded with 0 at their ends; a target
    begins with a start token and ends with a stop token. The tokenizers come from the data module and are in the
    checkpoint as plain values. In training each token of a target is predicted from the true ones before it.

    Logged: ``train/loss``, the smoothed cross-entropy in nats a token; ``val/loss`` and ``test/loss``, the plain one;
    ``val/perplexity`` and ``test/perplexity``, its exponential; ``val/exact`` and ``test/exact``, the part of the
    targets that are written as they are, to the token; ``val/bleu`` and ``test/bleu``, 0 to 100, of targets that have
    words (sacrebleu's, with its tokenizer 13a). In validation targets are written greedily, in the test by a beam.

    Args:
        network: has ``encode``, ``decode`` and ``select`` of ``EncodesAndDecodes``, and maps sources ``(B, S)`` and
            the beginnings of targets ``(B, T)`` to the logits ``(B, T, V)`` of their next tokens.
        source_vocabulary_size: number of token ids of sources, that of padding included.
        target_vocabulary_size: number of token ids of targets.
        optimizer: makes the optimizer; it gets the matrices and the other parameters as two groups, of which the
            second has no weight decay.
        scheduler: makes a schedule of the learning rate, stepped after each training step; None keeps it constant.
        label_smoothing: the part of a target's probability that is spread over all tokens, in [0, 1].
        beam: targets that the beam of the test keeps; 1 writes greedily.
        length_penalty: of the beam: 0 compares the probabilities of whole targets, 1 those of a token in the mean.
        max_length: tokens of a target that is written, at most.

    Raises:
        UserError: for a number out of range, data with more token ids, and data with other ones than the checkpoint.
    """

    best_metric = ("val/loss", "min")

    def __init__(
        self,
        network: nn.Module,
        source_vocabulary_size: int,
        target_vocabulary_size: int,
        optimizer: OptimizerCallable,
        scheduler: LRSchedulerCallable | None = None,
        label_smoothing: float = 0.0,
        beam: int = 5,
        length_penalty: float = 0.0,
        max_length: int = 100,
    ) -> None:
        check_at_least(5, source_vocabulary_size=source_vocabulary_size, target_vocabulary_size=target_vocabulary_size)
        check_at_least_one(beam=beam, max_length=max_length)
        check_at_least(0, length_penalty=length_penalty)
        check_fractions(label_smoothing=label_smoothing)
        super().__init__()
        save_portable_hyperparameters(self)
        self.network = network
        self.source_vocabulary_size, self.target_vocabulary_size = source_vocabulary_size, target_vocabulary_size
        self.optimizer, self.scheduler, self.label_smoothing = optimizer, scheduler, label_smoothing
        self.beam, self.length_penalty, self.max_length = beam, length_penalty, max_length
        self.tokenizers: tuple[SavedTokenizer, SavedTokenizer] | None = None
        self.reverse_source = False
        self.val_loss, self.test_loss = MeanMetric(), MeanMetric()
        self.val_exact, self.test_exact = MeanMetric(), MeanMetric()
        self.val_bleu, self.test_bleu = SacreBLEUScore(), SacreBLEUScore()

    @override
    def forward(self, source: Tensor, inputs: Tensor) -> Tensor:
        """Return the logits ``(B, T, V)`` after each of the targets' tokens ``inputs`` ``(B, T)``."""
        logits: Tensor = self.network(source, inputs)
        return logits

    def pair(self, batch: Any) -> Batch:
        """Return the sources ``(B, S)`` and the targets ``(B, T)`` of a batch."""
        name = type(self).__name__
        return inputs_and_labels(
            batch, f"{name} needs batches of sources and targets: choose another --data, such as DatesDataModule"
        )

    def check_tokens(self, source: Tensor, target: Tensor, first: bool) -> None:
        """Raise UserError unless both are token ids ``(B, T)`` int64 that the model knows."""
        name = type(self).__name__
        for what, tokens, size in (
            ("source", source, self.source_vocabulary_size),
            ("target", target, self.target_vocabulary_size),
        ):
            if tokens.dtype != torch.int64 or tokens.ndim != 2:
                raise UserError(
                    f"{name} takes pairs of token ids (B, T) int64, but the {what}s of the data are {tokens.dtype}"
                    f" {tuple(tokens.shape)}: choose another --data, such as DatesDataModule"
                )
            if may_read(tokens, first):
                check_token_range(tokens, size, name, f"set {what}_vocabulary_size to that of the data")

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the smoothed cross-entropy of logits ``(B, T, V)`` and targets ``(B, T)``, padding left out."""
        return F.cross_entropy(
            *(logits.flatten(0, 1), _without_padding(targets).flatten()),
            ignore_index=IGNORED,
            label_smoothing=self.label_smoothing,
        )

    def training_logits(self, source: Tensor, inputs: Tensor) -> Tensor:
        """Return the logits ``(B, T, V)`` of a training batch; a child may give the network other inputs."""
        logits: Tensor = self(source, inputs)
        return logits

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        source, target = self.pair(batch)
        self.check_tokens(source, target, batch_idx == 0)
        loss = self.loss(self.training_logits(source, target[:, :-1]), target[:, 1:])
        log_losses(self, {"train/loss": loss})
        return loss

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        return with_schedule(self.optimizer(decayed_groups(self)), self.scheduler, "step")

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, 1, self.val_loss, self.val_exact, self.val_bleu)

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, self.beam, self.test_loss, self.test_exact, self.test_bleu)

    def _evaluate(
        self, batch: Batch, batch_idx: int, beam: int, loss: MeanMetric, exact: MeanMetric, bleu: SacreBLEUScore
    ) -> None:
        source, target = self.pair(batch)
        self.check_tokens(source, target, batch_idx == 0)
        targets = _without_padding(target[:, 1:])
        logits = self(source, target[:, :-1]).flatten(0, 1).float()
        nats = F.cross_entropy(logits, targets.flatten(), reduction="none", ignore_index=IGNORED)
        loss.update(worst_where_no_number(nats[targets.flatten() != IGNORED]))
        written = self.write(source, beam)
        wanted = [self._body(row) for row in target.tolist()]
        exact.update(torch.tensor([float(one == other) for one, other in zip(written, wanted, strict=True)]))
        if self._has_words():
            assert self.tokenizers is not None
            decode = self.tokenizers[1].decode
            bleu.update([decode(row) for row in written], [[decode(row)] for row in wanted])

    @override
    def on_validation_epoch_end(self) -> None:
        self._log_evaluated("val", self.val_loss, self.val_exact, self.val_bleu)

    @override
    def on_test_epoch_end(self) -> None:
        self._log_evaluated("test", self.test_loss, self.test_exact, self.test_bleu)

    def _log_evaluated(self, stage: str, loss: MeanMetric, exact: MeanMetric, bleu: SacreBLEUScore) -> None:
        if loss.update_count == 0:
            return
        nats = loss.compute()
        metrics = {f"{stage}/loss": nats, f"{stage}/perplexity": nats.exp(), f"{stage}/exact": exact.compute()}
        if self._has_words():
            metrics[f"{stage}/bleu"] = 100 * bleu.compute()
        for metric in (loss, exact, bleu):
            metric.reset()
        self.log_dict(metrics, prog_bar=True)

    @override
    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the targets that are written for the sources of a batch, ``(B, N)`` int64, padded, greedily."""
        source, target = self.pair(batch)
        self.check_tokens(source, target, batch_idx == 0)
        return pad_sequence([torch.tensor([*row, self.stop_id]) for row in self.write(source)], batch_first=True)

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up pairs of tokens ``(n, 6)`` and ``(n, 7)``, no two alike."""
        numbers = torch.arange(5) + 2 * torch.arange(n)[:, None]
        source, target = (
            numbers % (size - 4) + 4 for size in (self.source_vocabulary_size, self.target_vocabulary_size)
        )
        start, stop = torch.full((n, 1), self.start_id), torch.full((n, 1), self.stop_id)
        return torch.cat([source, stop], 1).to(self.device), torch.cat([start, target, stop], 1).to(self.device)

    @property
    def start_id(self) -> int:
        """The token id that a target begins with."""
        return START_ID if self.tokenizers is None else ends_of(self.tokenizers[1])[0]

    @property
    def stop_id(self) -> int:
        """The token id that ends a target."""
        return STOP_ID if self.tokenizers is None else ends_of(self.tokenizers[1])[1]

    @torch.no_grad()
    def write(self, source: Tensor, beam: int = 1) -> list[list[int]]:
        """Return the targets that are written for sources ``(B, S)``, without start, stop and padding."""
        if beam == 1:
            given, start = GivenSource(self.networks(), source), self._starts(source)
            stop, silent = {self.stop_id}, self._no_text()
            rows = generated(given, start, self.max_length, GREEDY, stop=stop, forbidden=silent).tolist()
        else:
            rows = [found[0].tokens for found in self.search(source, beam, self.length_penalty)]
        return [self._body([self.start_id, *row]) for row in rows]

    def search(self, source: Tensor, beam: int, length_penalty: float = 0.0) -> list[list[Hypothesis]]:
        """Return the targets that the beam of each source of ``(B, S)`` holds at the end; the best first."""
        given, start = GivenSource(self.networks(), source), self._starts(source)
        stop, silent = {self.stop_id}, self._no_text()
        return beam_search(given, start, self.max_length, beam, stop, length_penalty, silent)

    def _starts(self, source: Tensor) -> Tensor:
        """Return what the targets of sources ``(B, S)`` begin with, ``(B, 1)``."""
        return torch.full((len(source), 1), self.start_id, device=source.device)

    def _no_text(self) -> set[int]:
        """Return the token ids of targets that stand for no text, but for the stop."""
        known = self.target_vocabulary_size if self.tokenizers is None else len(self.tokenizers[1])
        return {PAD, self.start_id, *range(known, self.target_vocabulary_size)}

    def networks(self) -> EncodesAndDecodes:
        """Return the network, as what reads and writes."""
        return self.network  # type: ignore[return-value]  # a network with its methods

    def _body(self, row: list[int]) -> list[int]:
        """Return the tokens of a target behind its start and before its stop."""
        body = row[1:]
        return body[: body.index(self.stop_id)] if self.stop_id in body else [token for token in body if token != PAD]

    def _has_words(self) -> bool:
        return self.tokenizers is not None and not isinstance(self.tokenizers[1], CharacterVocabulary)

    def translate_texts(self, texts: Sequence[str], beam: int | None = None) -> list[str]:
        """Return the text that is written for each of ``texts``.

        Args:
            texts: the sources.
            beam: targets that the beam keeps; None for that of the test, 1 writes greedily.

        Raises:
            UserError: a text has no tokens, or a character that the model does not know; or it has no tokenizers.
        """
        check_at_least_one(beam=beam)
        if not texts:
            return []
        target = self._known_tokenizers()[1]
        rows = [self.source_of(text) for text in texts]
        source = pad_sequence(rows, batch_first=True, padding_value=PAD).to(self.device)
        return [target.decode(row) for row in self.write(source, self.beam if beam is None else beam)]

    def source_of(self, text: str) -> Tensor:
        """Return the token ids ``(S,)`` of a source as the batches have them."""
        tokenizer = self._known_tokenizers()[0]
        ids = source_ids(tokenizer, text, self.reverse_source)
        if len(ids) == 1:
            raise UserError("the text has no tokens: give at least one")
        if isinstance(tokenizer, CharacterVocabulary) and UNKNOWN in ids:
            known = [character for character in text if tokenizer.encode(character) == [UNKNOWN]]
            raise UserError(f"the character {known[0]!r} is none that the model was trained on")
        return torch.tensor(ids, dtype=torch.int64)

    def attention_map(self, source: Tensor, written: list[int], weights: Mapping[str, Tensor]) -> AttentionMap:
        """Return ``weights`` ``(T, S)`` by their names with the tokens that they are of.

        Args:
            source: the token ids ``(S,)`` of a source.
            written: the T - 1 tokens of the target that was written for it, without its stop.
            weights: how much each of them, and the stop, attends to each token of the source.
        """
        read, target = self._known_tokenizers()
        return AttentionMap(
            [*(target.decode([token]) for token in written), STOP],
            [*(read.decode([token]) for token in source[:-1].tolist()), STOP],
            weights,
        )

    def _known_tokenizers(self) -> tuple[SavedTokenizer, SavedTokenizer]:
        if self.tokenizers is None:
            raise UserError(f"{type(self).__name__} has no tokenizers: train it, load a checkpoint, or set two")
        return self.tokenizers

    @override
    def setup(self, stage: str) -> None:
        """Take the tokenizers of the data module."""
        data, name = getattr(self.trainer, "datamodule", None), type(self).__name__
        if isinstance(data, HasTokenizer):
            raise UserError(
                f"{name} needs pairs of a source and a target, but {type(data).__name__} gives running text: choose"
                " another --data, such as DatesDataModule or PairFilesDataModule"
            )
        if not isinstance(data, HasPairTokenizers):
            return
        tokenizers = data.tokenizers
        sizes = self.source_vocabulary_size, self.target_vocabulary_size
        for what, tokenizer, size in zip(("source", "target"), tokenizers, sizes, strict=True):
            if len(tokenizer) > size:
                raise UserError(
                    f"the data have {len(tokenizer)} token ids of {what}s, but {name} knows {size}: set"
                    f" --model.{what}_vocabulary_size {len(tokenizer)}, or a smaller vocabulary of the data"
                )
        if self.tokenizers is not None and (self.tokenizers, self.reverse_source) != (tokenizers, data.reverse_source):
            raise UserError(
                f"{name} was trained on other tokens than those of the data: give the data the tokenizers of its"
                " checkpoint, or train it anew"
            )
        self.tokenizers, self.reverse_source = tokenizers, data.reverse_source

    @override
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        if self.tokenizers is not None:
            checkpoint["tokenizers"] = [as_plain(tokenizer) for tokenizer in self.tokenizers]
            checkpoint["reverse_source"] = self.reverse_source

    @override
    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        if "tokenizers" in checkpoint:
            source, target = (from_plain(plain) for plain in checkpoint["tokenizers"])
            self.tokenizers, self.reverse_source = (source, target), checkpoint["reverse_source"]


def _without_padding(targets: Tensor) -> Tensor:
    return targets.masked_fill(targets == PAD, IGNORED)
