"""What all language models share: their tokens, how they are measured, and the text that they write."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torchmetrics import MeanMetric
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.protocols import IGNORED, Batch, CountsCharacters, TextScore
from dlmodules.sequences.beam import beam_search
from dlmodules.sequences.decoding import DRAWN, Decoding
from dlmodules.sequences.generation import generate
from dlmodules.sequences.vocabulary import UNKNOWN, CharacterVocabulary, Vocabulary
from dlmodules.text.tokenized import TokenizedModule
from dlmodules.training.finite import worst_where_no_number
from dlmodules.validation.arguments import check_at_least, check_at_least_one
from dlmodules.validation.batches import fields_of, labels_in
from dlmodules.validation.device_reads import may_read
from dlmodules.validation.tokens import check_token_range

LN2 = 0.6931471805599453


class LanguageModel(TokenizedModule):
    """Base of what gives every next token a probability.

    Batches are ``(x, y)``: token ids ``(B, T)`` int64, y one token later than x, or token ids ``(B, T + 1)`` alone;
    targets that are -100 are not counted. The tokenizer comes from the data module and is in the checkpoint
    as plain values. A child implements ``nats``, ``nats_of_sequence``, ``start``, ``step`` and ``select``.

    Logged: ``val/loss`` and ``test/loss``, the negative log-likelihood of a token in nats; ``val/perplexity`` and
    ``test/perplexity``, its exponential; ``val/bits_per_character`` and ``test/bits_per_character``, where the data
    module knows how many characters its tokens have.

    Args:
        vocabulary_size: number of token ids that the model knows, that of padding included.

    Raises:
        UserError: for a number out of range, data with more token ids, and data with other ones than the checkpoint.
    """

    best_metric = ("val/loss", "min")

    def __init__(self, vocabulary_size: int) -> None:
        check_at_least(2, vocabulary_size=vocabulary_size)
        super().__init__()
        self.vocabulary_size = vocabulary_size
        self.val_loss, self.test_loss = MeanMetric(), MeanMetric()

    def nats(self, x: Tensor, y: Tensor, stage: str, batch_idx: int) -> Tensor:
        """Return the negative log-likelihoods ``(B, T)`` of targets y; anything where they are ignored."""
        raise NotImplementedError

    def start(self, context: Tensor) -> Any:
        """Return the state after reading ``context`` ``(B, T)`` int64, which may have no column."""
        raise NotImplementedError

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Read one token ``(B,)`` of each row; return the logits ``(B, V)`` of the next one, and the state."""
        raise NotImplementedError

    def select(self, state: Any, rows: Tensor) -> Any:
        """Return the state of some ``rows`` ``(N,)`` int64, in this order; a row may come again."""
        raise NotImplementedError

    def windows(self, batch: Any) -> tuple[Tensor, Tensor]:
        """Return inputs and targets ``(B, T)`` of a batch; of token ids alone ``(B, T + 1)`` those are its own.

        Raises:
            UserError: the targets are not of each token.
        """
        fields = fields_of(batch)
        targets = labels_in(fields)
        if targets is not None:
            if targets.shape != fields[0].shape:
                raise UserError(
                    f"{type(self).__name__} predicts the token after each one, but the data give targets"
                    f" {tuple(targets.shape)} for tokens {tuple(fields[0].shape)}: choose another --data, such as"
                    " CorpusDataModule"
                )
            return fields[0], targets
        return fields[0][:, :-1], fields[0][:, 1:]

    def check_tokens(self, x: Tensor, first: bool) -> None:
        """Raise UserError unless ``x`` is ``(B, T)`` int64 in ``[0, vocabulary_size)``."""
        name = type(self).__name__
        if x.dtype != torch.int64 or x.ndim != 2:
            raise UserError(
                f"{name} takes token ids (B, T) int64, but the data give {x.dtype} {tuple(x.shape)}: choose another"
                " --data, such as CorpusDataModule"
            )
        if may_read(x, first):
            advice = "set the vocabulary_size of the model to that of the data"
            check_token_range(x, self.vocabulary_size, name, advice)

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "val", self.val_loss)

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "test", self.test_loss)

    def _evaluate(self, batch: Batch, batch_idx: int, stage: str, mean: MeanMetric) -> None:
        x, y = self.windows(batch)
        self.check_tokens(x, batch_idx == 0)
        nats = self.nats(x, y, stage, batch_idx)[y != IGNORED]
        mean.update(worst_where_no_number(nats))

    @override
    def on_validation_epoch_end(self) -> None:
        self._log_evaluated("val", self.val_loss)

    @override
    def on_test_epoch_end(self) -> None:
        self._log_evaluated("test", self.test_loss)

    def _log_evaluated(self, stage: str, mean: MeanMetric) -> None:
        if mean.update_count == 0:
            return
        loss = mean.compute()
        mean.reset()
        metrics = {f"{stage}/loss": loss, f"{stage}/perplexity": loss.exp()}
        data = getattr(self.trainer, "datamodule", None)
        if isinstance(data, CountsCharacters):
            metrics[f"{stage}/bits_per_character"] = loss / LN2 / data.characters_per_token(stage)
        self.log_dict(metrics, prog_bar=True)

    @override
    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the log-likelihoods ``(B,)`` of the targets of each window, in nats."""
        x, y = self.windows(batch)
        self.check_tokens(x, batch_idx == 0)
        return -(self.nats(x, y, "predict", batch_idx) * (y != IGNORED)).sum(dim=1)

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up windows ``(n, 8)`` of tokens, no two alike, and their targets."""
        tokens = (torch.arange(9) + 2 * torch.arange(n)[:, None]) % (self.vocabulary_size - 1) + 1
        tokens = tokens.to(self.device)
        return tokens[:, :-1], tokens[:, 1:]

    def tokens_of(self, text: str) -> Tensor:
        """Return the token ids ``(1, T)`` of ``text``.

        Raises:
            UserError: it has no tokens, or one that the model does not know; or the model has no tokenizer.
        """
        tokenizer = self.known_tokenizer()
        ids = tokenizer.encode(text)
        if isinstance(tokenizer, Vocabulary) and UNKNOWN in ids:
            parts = tokenizer.split(text)
            kind = "character" if isinstance(tokenizer, CharacterVocabulary) else "word"
            raise UserError(f"the {kind} {parts[ids.index(UNKNOWN)]!r} is none that the model was trained on")
        if not ids:
            raise UserError("the text has no tokens: give at least one")
        return torch.tensor([ids], dtype=torch.int64, device=self.device)

    def first_prompt(self) -> str:
        """Return what a text begins with where nothing is given: a new line, or of words the most frequent one."""
        if isinstance(self.tokenizer, Vocabulary) and UNKNOWN in (self.tokenizer.encode("\n") or [UNKNOWN]):
            return self.tokenizer.words[0]
        return "\n"

    def generate_text(
        self, prompt: str, length: int, decoding: Decoding = DRAWN, generator: torch.Generator | None = None
    ) -> Iterator[str]:
        """Yield, token by token, the text that goes on from ``prompt``, with the blank between two words first.

        Args:
            prompt: a text of one or more tokens that the model knows.
            length: tokens to write.
            decoding: how they are chosen.
            generator: of the draws.
        """
        context, tokenizer = self.tokens_of(prompt), self.known_tokenizer()
        ids: list[int] = context[0].tolist()
        written = tokenizer.decode(ids)
        for tokens in generate(self, context, length, decoding, generator=generator, forbidden=self._no_text()):
            ids.append(int(tokens[0]))
            # Decoded from the beginning: a token may be a part of a character, or bring a blank before it.
            text = tokenizer.decode(ids)
            if not text.endswith("\ufffd"):
                yield text[len(written) :]
                written = text

    @torch.no_grad()
    def next_tokens(self, text: str, n: int = 10) -> list[tuple[str, float]]:
        """Return the ``n`` most probable continuations of ``text`` by a token, and their probabilities; the best first.

        A continuation is what is to be put behind the text, with the blank before a word. What stands for no text,
        such as padding, is left out.

        Raises:
            UserError: ``n`` is less than 1, or the text has a token that the model does not know.
        """
        check_at_least_one(n=n)
        context, tokenizer = self.tokens_of(text), self.known_tokenizer()
        logits = self.step(context[:, -1], self.start(context[:, :-1]))[0][0].float()
        logits[sorted(self._no_text())] = -torch.inf
        best = logits.softmax(dim=0).topk(min(n, int(logits.isfinite().sum())))
        read = context[0].tolist()
        before = len(tokenizer.decode(read))
        return [
            (tokenizer.decode([*read, token])[before:], probability)
            for token, probability in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]

    def most_probable_texts(self, prompt: str, length: int, beam: int = 5) -> list[tuple[str, float]]:
        """Return what a beam of so many texts holds after ``length`` tokens, and their log-likelihoods; the best first.

        None is less probable than what greedy decoding finds.
        """
        context, tokenizer = self.tokens_of(prompt), self.known_tokenizer()
        found = beam_search(self, context, length, beam, forbidden=self._no_text())[0]
        read = context[0].tolist()
        before = len(tokenizer.decode(read))
        return [(tokenizer.decode([*read, *one.tokens])[before:], one.log_probability) for one in found]

    def _no_text(self) -> set[int]:
        """Return the token ids that stand for no text."""
        tokenizer = self.known_tokenizer()
        found = set(range(len(tokenizer), self.vocabulary_size))
        if tokenizer.pad_id is not None:
            found.add(tokenizer.pad_id)
        return found | {UNKNOWN} if isinstance(tokenizer, Vocabulary) else found

    @torch.no_grad()
    def score(self, text: str) -> TextScore:
        """Return the likelihood of ``text`` after its first token; unknown words or characters count as unknown.

        Raises:
            UserError: the text has fewer than two tokens, or the model has no tokenizer.
        """
        ids = self.known_tokenizer().encode(text)
        if len(ids) < 2:
            raise UserError(f"the text has {len(ids)} tokens; at least 2 are needed to score the second")
        tokens = torch.tensor([ids], dtype=torch.int64, device=self.device)
        nats = self.nats_of_sequence(tokens)
        return TextScore(float(nats.double().sum()), len(ids) - 1, len(text))

    def nats_of_sequence(self, tokens: Tensor) -> Tensor:
        """Return the negative log-likelihoods ``(B, T - 1)`` of all tokens ``(B, T)`` but the first, of any T."""
        raise NotImplementedError
