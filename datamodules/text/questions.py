"""Questions about documents that have their answers: words of the document itself."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import override

from datamodules.text.padded import FlatRows, Tokens
from datamodules.text.tokenized import TokenizedDataModule
from dlmodules.errors import UserError
from dlmodules.sequences.vocabulary import MARKS, SPECIAL, UNKNOWN, MarkedVocabulary, SpacedVocabulary, Vocabulary
from dlmodules.validation.arguments import check_at_least, check_at_least_one

Span = tuple[int, int]
Asked = tuple[Tensor, Tensor, Tensor, Tensor]


class Question(NamedTuple):
    """A question about a document.

    Args:
        words: of the question.
        spans: which words of the document answer it: ``(first, one behind the last)``, one span or more.
    """

    words: list[str]
    spans: list[Span]


class Document(NamedTuple):
    """A text and what is asked about it.

    Args:
        words: of the text.
        questions: those that its words answer.
    """

    words: list[str]
    questions: list[Question]

    def cut(self, length: int) -> "Document":
        """Return its first ``length`` words, and the questions that these alone answer."""
        kept = [question for question in self.questions if question.spans and max(question.spans[-1]) <= length]
        return Document(self.words[:length], kept)


class QuestionDataset(Dataset[Asked]):
    """A row for each question: its document, all answers that are in the document, its own answer, and the question.

    Args:
        documents: each with a question or more.
        tokenizer: of documents and questions, with ``<start>`` and ``<stop>``.
    """

    def __init__(self, documents: Sequence[Document], tokenizer: Vocabulary) -> None:
        start, stop = (tokenizer.id_of(mark) for mark in MARKS)
        self.document_of = torch.tensor(
            [number for number, document in enumerate(documents) for _ in document.questions], dtype=torch.int64
        )
        tags: list[Tokens] = []
        answers: list[Tokens] = []
        questions: list[Tokens] = []
        for document in documents:
            own = [_marked(question.spans, len(document.words)) for question in document.questions]
            tags.append(np.max(own, axis=0))
            answers += own
            questions += [
                np.array([start, *ids_of(tokenizer, question.words), stop], dtype=np.int32)
                for question in document.questions
            ]
        self.documents = FlatRows([np.array(ids_of(tokenizer, one.words), dtype=np.int32) for one in documents])
        self.tags, self.answers, self.questions = FlatRows(tags), FlatRows(answers), FlatRows(questions)

    def __len__(self) -> int:
        return len(self.document_of)

    @override
    def __getitem__(self, index: int) -> Asked:
        """Return document ``(D,)``, tags ``(D,)``, answer ``(D,)`` and question ``(T,)`` of one row, all int64."""
        document, tags, answer, question = self.__getitems__([index])
        return document[0], tags[0], answer[0], question[0]

    def __getitems__(self, indices: Sequence[int]) -> Asked:
        """Return documents, tags and answers ``(B, D)`` and questions ``(B, T)``, all int64, padded with 0."""
        of = self.document_of[torch.as_tensor(indices)]
        return (
            *(self.documents.padded(of), self.tags.padded(of), self.answers.padded(indices)),
            self.questions.padded(indices),
        )


def ids_of(tokenizer: Vocabulary, words: Iterable[str]) -> list[int]:
    """Return the token ids of words."""
    found = map(tokenizer.id_of, words)
    return [UNKNOWN if token is None else token for token in found]


def _marked(spans: Sequence[Span], length: int) -> Tokens:
    marked = np.zeros(length, dtype=np.int32)
    for first, end in spans:
        marked[first:end] = 1
    return marked


class QuestionsDataModule(TokenizedDataModule[QuestionDataset, Asked]):
    """Base of the data of questions: batches ``(document, tags, answer, question)``, all int64 and padded with 0.

    Documents are token ids ``(B, D)``; tags ``(B, D)`` are 1 at each word that answers any question about the document,
    answers ``(B, D)`` at each that answers this one; questions ``(B, T)`` begin with ``<start>`` and end with
    ``<stop>``. The vocabulary is that of the training: the most frequent words of questions, then those of documents.
    A child implements ``read``.

    Args:
        batch_size: questions of a batch, 1 or more.
        vocabulary_size: token ids at most, those of padding, the unknown and the ends included.
        question_words: of those, how many may be taken from the questions.
        max_document_length: words of a document; what comes behind is left out, and what is asked about it.
        max_question_length: words of a question; longer ones are left out of training.
        **kwargs: of ``InMemoryDataModule``, all but ``train_transform``.

    Raises:
        UserError: for a number out of range, and where no question is left to train on.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"batch_size": 4}
    unit = "questions"
    kind: ClassVar[type[MarkedVocabulary | SpacedVocabulary]] = SpacedVocabulary

    def __init__(
        self,
        batch_size: int = 64,
        vocabulary_size: int = 10_000,
        question_words: int = 5000,
        max_document_length: int = 200,
        max_question_length: int = 40,
        **kwargs: Any,
    ) -> None:
        check_at_least(len(SPECIAL) + len(MARKS) + 1, vocabulary_size=vocabulary_size)
        check_at_least_one(
            question_words=question_words,
            max_document_length=max_document_length,
            max_question_length=max_question_length,
        )
        super().__init__(batch_size=batch_size, **kwargs)
        self.vocabulary_size = vocabulary_size
        self.question_words = question_words
        self.max_document_length = max_document_length
        self.max_question_length = max_question_length
        self._documents: dict[str, list[Document]] = {}
        self._train: list[Document] | None = None

    def read(self, part: Literal["train", "val", "test"]) -> list[Document]:
        """Return the documents of a part, of which none is in another one."""
        raise NotImplementedError

    @property
    @override
    def class_names(self) -> list[str]:
        """No classes."""
        return []

    def documents(self, part: Literal["train", "val", "test"]) -> list[Document]:
        """Return the documents of a part as a model reads them, each with a question or more; they are read once."""
        if part not in self._documents:
            cut = [document.cut(self.max_document_length) for document in self.read(part)]
            self._documents[part] = [document for document in cut if document.questions]
        return self._documents[part]

    def example_pairs(self, n: int) -> list[tuple[str, str]]:
        """Return at most ``n`` documents of the validation, and what is asked about them, as text."""
        documents = self.documents("val") or self._training_documents()
        return [(" ".join(one.words), asked_about(one)) for one in documents[:n]]

    def _training_documents(self) -> list[Document]:
        if self._train is None:
            longest = self.max_question_length
            found = [
                Document(words, [question for question in questions if len(question.words) <= longest])
                for words, questions in self.documents("train")
            ]
            self._train = [document for document in found if document.questions]
            if not self._train:
                raise UserError(
                    f"{type(self).__name__} has no questions to train on: max_document_length="
                    f"{self.max_document_length} and max_question_length={longest} leave none"
                )
        return self._train

    @override
    def make_tokenizer(self) -> Vocabulary:
        documents = self._training_documents()
        room = self.vocabulary_size - len(SPECIAL) - len(MARKS)
        asked = Counter(word for one in documents for question in one.questions for word in question.words)
        words = _most_frequent(asked, min(room, self.question_words), MARKS)
        read = Counter(word for one in documents for word in one.words)
        return self.kind([*MARKS, *words, *_most_frequent(read, room - len(words), {*MARKS, *words})])

    def _encoded(self, documents: Sequence[Document]) -> QuestionDataset:
        tokenizer = self.tokenizer
        assert isinstance(tokenizer, Vocabulary)
        return QuestionDataset(documents, tokenizer)

    @override
    def make_train_and_val(self) -> tuple[QuestionDataset, QuestionDataset]:
        return self._encoded(self._training_documents()), self._encoded(self.documents("val"))

    @override
    def make_test(self) -> QuestionDataset:
        return self._encoded(self.documents("test"))


def _most_frequent(counts: Counter[str], number: int, without: Iterable[str]) -> list[str]:
    for word in without:
        counts.pop(word, None)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [word for word, _ in ranked[:number]]


def asked_about(document: Document) -> str:
    """Return the questions about a document, each with its answer, as text."""
    return " ".join(
        f"{' '.join(question.words)} ({', '.join(' '.join(document.words[slice(*span)]) for span in question.spans)})"
        for question in document.questions
    )
