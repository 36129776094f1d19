"""A network that finds in a document what can be asked about, and asks."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence
from torchmetrics.classification import BinaryF1Score
from typing_extensions import override

from dlmodules.checkpoints.beginnings import BeginsWithOthers
from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.checkpoints.own_networks import NamesOwnNetworks
from dlmodules.errors import UserError
from dlmodules.protocols import IGNORED, PAD, Tokenizer
from dlmodules.sequences.beam import beam_search
from dlmodules.sequences.decoding import GREEDY
from dlmodules.sequences.generation import generated
from dlmodules.sequences.vocabulary import Vocabulary
from dlmodules.sequences.word_vectors import begin_with_vectors
from dlmodules.text.question_network import QuestionNetwork
from dlmodules.text.sequence_to_sequence import START_ID, STOP_ID, GivenSource
from dlmodules.text.spans import SpanF1, spans_of
from dlmodules.text.tokenized import TokenizedModule
from dlmodules.training.finite import worst_where_no_number
from dlmodules.training.schedules import with_schedule
from dlmodules.training.stage_means import StageMeans
from dlmodules.training.step_logging import log_losses
from dlmodules.validation.arguments import check_at_least, check_at_least_one
from dlmodules.validation.batches import fields_of
from dlmodules.validation.device_reads import may_read
from dlmodules.validation.tokens import check_token_range


class Fields(NamedTuple):
    """A batch of questions, all int64 and padded with 0.

    Args:
        document: token ids ``(B, D)``.
        tags: 1 at each word that answers any question about the document, ``(B, D)``.
        answer: 1 at each word that answers this question, ``(B, D)``.
        question: token ids ``(B, T)`` from start to stop.
    """

    document: Tensor
    tags: Tensor
    answer: Tensor
    question: Tensor


class Answered(NamedTuple):
    """A question about a text, and what answers it.

    Args:
        question: as text.
        answer: the words of the text.
        span: which words these are: ``(first, one behind the last)``.
        probability: the mean of the words' probabilities of being an answer.
    """

    question: str
    answer: str
    span: tuple[int, int]
    probability: float


class QuestionGenerator(BeginsWithOthers, NamesOwnNetworks, TokenizedModule):
    """Finds the words of a document that a question may be about, and writes the question that they answer.

    Batches are ``(document, tags, answer, question)``, see ``Fields``; the tags are those of all answers that the
    document has, as the network is not told which question is meant.

    Logged, for training, validation and test: ``loss``, the sum of ``tag_loss``, in nats a word of a document, and
    ``question_loss``, in nats a word of a question. For validation and test also ``tag_f1``, the F1 score of words as
    answers, ``span_f1``, that of whole answers, and ``question_exact``, the part of the questions that are written as
    they are for their true answers, greedily.

    Paper: Wang, Yuan & Trischler 2017, A Joint Model for Question Answering and Question Generation.
    Books: foster F6.8.

    Args:
        network: in place of the one that the next arguments describe, with the methods of ``QuestionNetwork``.
        vocabulary_size: number of token ids, those of padding, the unknown and the ends included.
        embedding_dim: size of a token's embedding, which documents and questions share.
        reader_dim: units of the reader of documents, in each direction.
        hidden_dim: units of what reads the answer, and of what writes the question.
        dropout: fraction of embeddings and of what is read that are set to 0 in training.
        attention: ``none``, as in the book; ``luong``: what writes the question looks at all words of the document, as
            in the paper, and not only at what was read at the answer's.
        vectors: text file of word vectors, such as GloVe's, that the embedding begins with, each of ``embedding_dim``
            numbers; None begins at random, as words do that have none.
        max_length: words of a question that is written, at most.
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate, stepped after each training step; None keeps it constant.

    Raises:
        UserError: for a number out of range, and word vectors that cannot be read or have another size.
    """

    best_metric = ("val/question_exact", "max")
    small_arguments: ClassVar[dict[str, Any]] = {
        **{"vocabulary_size": 200, "embedding_dim": 32, "reader_dim": 32, "hidden_dim": 32, "max_length": 8},
        **{"vectors": None, "scheduler": None},
    }

    def __init__(
        self,
        network: nn.Module | None = None,
        vocabulary_size: int = 10_000,
        embedding_dim: int = 100,
        reader_dim: int = 100,
        hidden_dim: int = 200,
        dropout: float = 0.0,
        attention: Literal["none", "luong"] = "none",
        vectors: str | None = None,
        max_length: int = 20,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3),
        scheduler: LRSchedulerCallable | None = None,
    ) -> None:
        check_at_least(STOP_ID + 2, vocabulary_size=vocabulary_size)
        check_at_least_one(max_length=max_length)
        super().__init__()
        save_portable_hyperparameters(self)
        self.network = network or QuestionNetwork(
            vocabulary_size, embedding_dim, reader_dim, hidden_dim, dropout, attention
        )
        self.vocabulary_size, self.vectors, self.max_length = vocabulary_size, vectors, max_length
        self.optimizer, self.scheduler = optimizer, scheduler
        self.means = StageMeans(("tag_loss", "question_loss", "question_exact"))
        self.val_tags, self.test_tags = BinaryF1Score(), BinaryF1Score()
        self.val_spans, self.test_spans = SpanF1(), SpanF1()

    @override
    def forward(self, document: Tensor, answer: Tensor, question: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of tags ``(B, D, 2)`` and of next tokens ``(B, T, V)``, see ``QuestionNetwork``."""
        tags, words = self.network(document, answer, question)
        return tags, words

    def fields(self, batch: Any, first: bool) -> Fields:
        """Return a batch by its parts: a tuple of them, or a dictionary that has them under their names.

        Raises:
            UserError: it has other parts, token ids that are not known, or a question without an answer.
        """
        name, names = type(self).__name__, Fields._fields
        named = isinstance(batch, Mapping) and batch.keys() >= set(names)
        found = fields_of([batch[part] for part in names] if named else batch)
        found = tuple(field.long() if field.dtype == torch.int32 else field for field in found)
        whole = [field.dtype == torch.int64 and field.ndim == 2 for field in found]
        if len(found) != 4 or not all(whole) or not found[0].shape == found[1].shape == found[2].shape:
            raise UserError(
                f"{name} needs batches of inputs and labels: documents, tags and answers (B, D) and questions (B, T),"
                " all int64: choose another --data, such as FactsDataModule"
            )
        fields = Fields(*found)
        for tokens in (fields.document, fields.question):
            if may_read(tokens, first):
                advice = "set the vocabulary_size of the model to that of the data"
                check_token_range(tokens, self.vocabulary_size, name, advice)
        if may_read(fields.answer, first) and not bool(fields.answer.any(dim=1).all()):
            raise UserError(f"{name} was given a question that no word of its document answers")
        return fields

    def losses(self, fields: Fields) -> tuple[dict[str, Tensor], Tensor]:
        """Return the losses of each word of documents and of questions, and the logits of tags ``(B, D, 2)``."""
        tags, words = self(fields.document, fields.answer, fields.question[:, :-1])
        wanted = fields.tags.masked_fill(fields.document == PAD, IGNORED)
        targets = fields.question[:, 1:].masked_fill(fields.question[:, 1:] == PAD, IGNORED)
        return {"tag_loss": _nats(tags, wanted), "question_loss": _nats(words, targets)}, tags

    @override
    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        losses, _ = self.losses(self.fields(batch, batch_idx == 0))
        means = {f"train/{name}": nats.mean() for name, nats in losses.items()}
        loss = torch.stack(list(means.values())).sum()
        log_losses(self, {"train/loss": loss, **means})
        return loss

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        return with_schedule(self.optimizer(self.parameters()), self.scheduler, "step")

    @override
    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "val", self.val_tags, self.val_spans)

    @override
    def test_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "test", self.test_tags, self.test_spans)

    def _evaluate(self, batch: Any, batch_idx: int, stage: str, words: BinaryF1Score, spans: SpanF1) -> None:
        fields = self.fields(batch, batch_idx == 0)
        losses, logits = self.losses(fields)
        means = self.means.of(stage)
        for name, nats in losses.items():
            means[name].update(worst_where_no_number(nats))
        inside = fields.document != PAD
        found = logits.argmax(dim=2).bool() & inside
        words.update(found[inside], fields.tags[inside])
        spans.update(found, fields.tags.bool())
        written = self.write(fields.document, fields.answer)
        wanted = [self._body(row) for row in fields.question[:, 1:].tolist()]
        exact = [float(one == other) for one, other in zip(written, wanted, strict=True)]
        means["question_exact"].update(torch.tensor(exact))

    @override
    def on_validation_epoch_end(self) -> None:
        self._log_evaluated("val", self.val_tags, self.val_spans)

    @override
    def on_test_epoch_end(self) -> None:
        self._log_evaluated("test", self.test_tags, self.test_spans)

    def _log_evaluated(self, stage: str, words: BinaryF1Score, spans: SpanF1) -> None:
        if spans.update_count == 0:
            return
        means = self.means.of(stage)
        found = {name: mean.compute() for name, mean in means.items()}
        found = {"loss": torch.stack([found["tag_loss"], found["question_loss"]]).sum(), **found}
        found |= {"tag_f1": words.compute(), "span_f1": spans.compute()}
        for metric in (words, spans, *means.values()):
            metric.reset()
        self.log_dict({f"{stage}/{name}": value for name, value in found.items()}, prog_bar=True)

    @override
    def predict_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Return the questions that are written for the answers of a batch, ``(B, N)`` int64, padded, greedily."""
        fields = self.fields(batch, batch_idx == 0)
        rows = self.write(fields.document, fields.answer)
        return pad_sequence([torch.tensor([*row, self.stop_id]) for row in rows], batch_first=True)

    def example_batch(self, n: int) -> Fields:
        """Return ``n`` made-up documents of ten tokens, no two alike, and questions about two or one of them."""
        first, places = STOP_ID + 1, torch.arange(10)
        document = (places + 3 * torch.arange(n)[:, None]) % (self.vocabulary_size - first) + first
        begins = torch.arange(n)[:, None] % 8
        answer = ((places >= begins) & (places <= begins + begins % 2)).long()
        tags = answer.clone()
        tags[:, 9] = 1
        question = F.pad(document[:, 1:4], (1, 0), value=self.start_id)
        fields = document, tags, answer, F.pad(question, (0, 1), value=self.stop_id)
        return Fields(*(field.to(self.device) for field in fields))

    @property
    def start_id(self) -> int:
        """The token id that a question begins with."""
        found = getattr(self.tokenizer, "start_id", None)
        return START_ID if found is None else int(found)

    @property
    def stop_id(self) -> int:
        """The token id that ends a question."""
        found = getattr(self.tokenizer, "stop_id", None)
        return STOP_ID if found is None else int(found)

    @torch.no_grad()
    def write(self, document: Tensor, answer: Tensor, beam: int = 1) -> list[list[int]]:
        """Return the questions, without start and stop, about the words ``answer`` ``(B, D)`` of documents ``(B, D)``.

        Args:
            document: token ids.
            answer: 1 at the words that are asked about, int64.
            beam: questions that a beam keeps; 1 writes greedily.
        """
        stop, silent = {self.stop_id}, self._no_words()
        start = torch.full((len(document), 1), self.start_id, device=document.device)
        given = GivenSource(self.network, (document, answer))  # type: ignore[arg-type]  # it has the methods
        if beam == 1:
            rows = generated(given, start, self.max_length, GREEDY, stop=stop, forbidden=silent).tolist()
        else:
            found = beam_search(given, start, self.max_length, beam, stop, forbidden=silent)
            rows = [hypotheses[0].tokens for hypotheses in found]
        return [self._body(row) for row in rows]

    def _no_words(self) -> set[int]:
        """Return the token ids that stand for no word, but for the stop."""
        known = self.vocabulary_size if self.tokenizer is None else len(self.tokenizer)
        return {PAD, self.start_id, *range(known, self.vocabulary_size)}

    def _body(self, row: list[int]) -> list[int]:
        """Return the tokens of a question before its stop."""
        return row[: row.index(self.stop_id)] if self.stop_id in row else [token for token in row if token != PAD]

    @torch.no_grad()
    def answer_probabilities(self, text: str) -> tuple[list[str], Tensor]:
        """Return the words of ``text``, as the model reads them, and how probably each answers a question, ``(D,)``.

        Raises:
            UserError: the text has no words, or the model has no tokenizer.
        """
        words, document = self._words_of(text)
        network: Any = self.network  # with the methods of QuestionNetwork
        return words, network.tagger(network.read(document))[0].float().softmax(dim=1)[:, 1].cpu()

    def ask(self, text: str, beam: int = 1) -> list[Answered]:
        """Return a question about each answer that is found in ``text``, in the order of the answers.

        Args:
            text: the document.
            beam: questions that a beam keeps; 1 writes greedily.

        Raises:
            UserError: the text has no words, a number is out of range, or the model has no tokenizer.
        """
        check_at_least_one(beam=beam)
        words, probabilities = self.answer_probabilities(text)
        spans = spans_of(probabilities > 0.5)
        questions = self._questions(text, spans, beam)
        return [
            Answered(question, " ".join(words[slice(*span)]), span, float(probabilities[slice(*span)].mean()))
            for question, span in zip(questions, spans, strict=True)
        ]

    def ask_about(self, text: str, answer: str, beam: int = 1) -> str:
        """Return the question about the words ``answer`` of ``text``, at the first place where they are.

        Raises:
            UserError: the words are not in the text, a number is out of range, or the model has no tokenizer.
        """
        check_at_least_one(beam=beam)
        words, wanted = self._split(text), self._split(answer)
        places = [at for at in range(len(words)) if words[at : at + len(wanted)] == wanted]
        if not wanted or not places:
            raise UserError(f"the words {answer!r} are not in the text")
        return self._questions(text, [(places[0], places[0] + len(wanted))], beam)[0]

    def translate_texts(self, texts: Sequence[str], beam: int | None = None) -> list[str]:
        """Return for each of ``texts`` what can be asked about it: the questions, each with its answer in brackets.

        Args:
            texts: the documents.
            beam: questions that a beam keeps; None writes greedily, as 1 does.

        Raises:
            UserError: a text has no words, a number is out of range, or the model has no tokenizer.
        """
        check_at_least_one(beam=beam)
        found = [self.ask(text, beam or 1) for text in texts]
        return [" ".join(f"{one.question} ({one.answer})" for one in asked) or "(no answer found)" for asked in found]

    def _questions(self, text: str, spans: Sequence[tuple[int, int]], beam: int) -> list[str]:
        if not spans:
            return []
        _, document = self._words_of(text)
        answers = torch.zeros(len(spans), document.shape[1], dtype=torch.int64, device=self.device)
        for row, (first, end) in enumerate(spans):
            answers[row, first:end] = 1
        tokenizer = self.known_tokenizer()
        return [tokenizer.decode(row) for row in self.write(document.expand(len(spans), -1), answers, beam)]

    def _split(self, text: str) -> list[str]:
        tokenizer: Tokenizer = self.known_tokenizer()
        if not isinstance(tokenizer, Vocabulary):
            raise UserError(f"{type(self).__name__} reads words: give it a tokenizer of words")
        return tokenizer.split(text)

    def _words_of(self, text: str) -> tuple[list[str], Tensor]:
        words, ids = self._split(text), self.known_tokenizer().encode(text)
        if not ids:
            raise UserError("the text has no tokens: give at least one")
        return words, torch.tensor([ids], device=self.device)

    @override
    def setup(self, stage: str) -> None:
        """Take the tokenizer of the data module, which must have a start and a stop."""
        super().setup(stage)
        if self.tokenizer is not None and None in (self.tokenizer.start_id, self.tokenizer.stop_id):
            raise UserError(
                f"{type(self).__name__} needs questions about documents, and the data give running text: choose another"
                " --data, such as FactsDataModule"
            )

    @override
    def begin(self) -> None:
        """Begin with the word vectors."""
        if self.vectors is not None:
            begin_with_vectors(self.network, self.known_tokenizer(), self.vectors)


def _nats(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropy of each target that counts, ``(N,)``, for logits ``(B, T, V)``."""
    inside = targets != IGNORED
    return F.cross_entropy(logits[inside].float(), targets[inside], reduction="none")
