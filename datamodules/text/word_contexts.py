"""Words of a text and the words around them."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from typing_extensions import override

from datamodules.base.in_memory import InMemoryDataModule, count_of, permutation
from datamodules.base.text_files import read_text
from datamodules.text.texts import find_texts, texts_of
from datamodules.text.toy_analogies import toy_questions, toy_sentences
from datamodules.text.word_rows import FixedContexts, WordRows
from datamodules.text.word_windows import draw_contexts, keep_probabilities
from dlmodules.errors import UserError
from dlmodules.protocols import Batch, Question, RatedPair
from dlmodules.sequences.analogies import questions_in, rated_pairs_in
from dlmodules.sequences.vocabulary import SPECIAL, Vocabulary, words_of
from dlmodules.validation.arguments import check_amounts, check_at_least, check_at_least_one, check_positive

SENTENCES = 5000


class WordContextsDataModule(InMemoryDataModule[WordRows, Batch]):
    """Batches ``(centers, contexts)`` of any text: a word ``(B,)`` and those around it ``(B, 2 * window)``, int64.

    Token ids are those of a ``Vocabulary``, 0 where a context has fewer words. Words that are not in the vocabulary are
    left out of the text, and so are, at random and anew in each epoch, the frequent ones. The text is one array, cut
    into rows; a batch is the words of ``batch_size`` rows that are left, so B differs. No context reaches beyond its
    row or its text: a row of a table, or a paragraph of plain text. Batches are a function of ``seed``, epoch and
    batch. The vocabulary and its counts are part of a run's checkpoint, as plain strings and numbers.

    Args:
        files: files or folders of text, as they are or below ``data_dir``: ``.txt``, or ``.csv`` with a column of
            texts; UTF-8, compressed by gzip or not. None makes up 5,000 sentences with known analogies.
        text_column: name of the column of texts in tables.
        batch_size: rows of a batch.
        row_length: words of a row.
        window: words on each side of a center at most; each center draws its own size in 1 to ``window``.
        min_count: rarer words are left out.
        vocabulary_size: token ids at most, those of padding and unknown words included.
        subsample: words of a frequency above it are dropped at random, the more the more frequent; None keeps all.
        val_size: rows for validation, a number of them or a fraction in (0, 1); 0 for none.
        test_size: rows for the test, likewise; the same for every ``seed``.
        questions: file of analogies in the form of ``questions-words.txt``, found as ``files`` are; None for none, or
            for those of the made-up sentences.
        ratings: file of lines "word, word, how alike", with tabs between, such as that of WordSim353; None for none.
        data_dir: folder of the data sets; ``$DLMODULES_DATA`` or ``./data`` where None.
        **kwargs: of ``InMemoryDataModule``, all but ``train_transform``.

    Raises:
        UserError: for a number out of range, a file that is missing or cannot be read, and a text of no words.
    """

    unit = "rows"
    small_arguments: ClassVar[Mapping[str, Any]] = {
        "files": None,
        "questions": None,
        "ratings": None,
        "batch_size": 8,
        "row_length": 20,
        "min_count": 1,
        "vocabulary_size": 200,
        "subsample": None,
    }

    def __init__(
        self,
        files: Sequence[str] | None = None,
        text_column: str = "text",
        batch_size: int = 5,
        row_length: int = 200,
        window: int = 5,
        min_count: int = 5,
        vocabulary_size: int = 10_000,
        subsample: float | None = 1e-3,
        val_size: int | float = 0.01,
        test_size: int | float = 0,
        questions: str | None = None,
        ratings: str | None = None,
        data_dir: str | None = None,
        **kwargs: Any,
    ) -> None:
        check_at_least_one(row_length=row_length, window=window, min_count=min_count)
        check_at_least(len(SPECIAL) + 1, vocabulary_size=vocabulary_size)
        check_positive(subsample=subsample)
        check_amounts(self.unit, val_size=val_size, test_size=test_size)
        super().__init__(batch_size=batch_size, train_transform=None, **kwargs)
        self.train_transform = self._draw
        self.files = None if files is None else list(files)
        self.text_column = text_column
        self.row_length = row_length
        self.window = window
        self.min_count = min_count
        self.vocabulary_size = vocabulary_size
        self.subsample = subsample
        self.val_size = val_size
        self.test_size = test_size
        self.questions = questions
        self.ratings = ratings
        self.data_dir = Path(data_dir or os.environ.get("DLMODULES_DATA") or "data").expanduser()
        self._vocabulary: Vocabulary | None = None
        self._counts = torch.zeros(0, dtype=torch.int64)
        self._keep = torch.zeros(0)

    @property
    @override
    def class_names(self) -> list[str]:
        """None: words are no classes."""
        return []

    @property
    def vocabulary(self) -> Vocabulary:
        """The words that are known; the text is read for them where it is not yet."""
        if self._vocabulary is None:
            self.setup("fit")
        assert self._vocabulary is not None
        return self._vocabulary

    @property
    def words(self) -> list[str]:
        """The words, the most frequent first; token ids number them from ``first_id`` on."""
        return self.vocabulary.words

    @property
    def first_id(self) -> int:
        """The token id of the first of ``words``."""
        return len(SPECIAL)

    @property
    def word_counts(self) -> Tensor:
        """How often each of ``words`` occurs in the text, ``(V,)`` int64."""
        if self._vocabulary is None:
            self.setup("fit")
        return self._counts

    @property
    def analogy_questions(self) -> dict[str, list[Question]]:
        """The analogies of ``questions``, or of the made-up sentences, by the name of their section."""
        if self.questions is None:
            return toy_questions() if self.files is None else {}
        path = find_texts([self.questions], self.data_dir)[0]
        return questions_in(read_text(path), str(path))

    @property
    def rated_pairs(self) -> list[RatedPair]:
        """The pairs of words in ``ratings``, and how alike people find them."""
        if self.ratings is None:
            return []
        path = find_texts([self.ratings], self.data_dir)[0]
        return rated_pairs_in(read_text(path), str(path))

    def load(self) -> list[str]:
        """Return the texts; a child may have them from elsewhere."""
        if self.files is None:
            return toy_sentences(SENTENCES)
        return [text for path in find_texts(self.files, self.data_dir) for text in texts_of(path, self.text_column)]

    def _rows(self) -> WordRows:
        """Read the text, and make the vocabulary where there is none yet."""
        split = [words_of(text) for text in self.load()]
        if self._vocabulary is None:
            self._take_vocabulary(*self._counted(split))
        assert self._vocabulary is not None
        known = {word: token for token, word in enumerate(self._vocabulary.words, start=self.first_id)}
        encoded = [[known[word] for word in words if word in known] for words in split]
        tokens = np.fromiter((token for text in encoded for token in text), dtype=np.int32)
        texts = np.repeat(np.arange(len(encoded), dtype=np.int32), [len(text) for text in encoded])
        return WordRows(tokens, texts, self.row_length)

    def _counted(self, texts: Sequence[Sequence[str]]) -> tuple[list[str], list[int]]:
        counts: Counter[str] = Counter()
        for words in texts:
            counts.update(words)
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: self.vocabulary_size - self.first_id]
        kept = [(word, count) for word, count in ranked if count >= self.min_count]
        if not kept:
            raise UserError(
                f"no word occurs {self.min_count} times in the {len(texts)} texts: give more text, or set min_count"
                " to less"
            )
        return [word for word, _ in kept], [count for _, count in kept]

    def _take_vocabulary(self, words: Sequence[str], counts: Sequence[int]) -> None:
        self._vocabulary = Vocabulary(words)
        self._counts = torch.tensor(counts, dtype=torch.int64)
        known = keep_probabilities(self._counts, self.subsample)
        self._keep = torch.cat([torch.zeros(self.first_id), known])

    def _draw(self, rows: Tensor) -> Batch:
        return draw_contexts(rows[:, 0], rows[:, 1], self._keep, self.window)

    def _parts(self) -> tuple[WordRows, ...]:
        """Return the rows for training, validation and test."""
        whole = self._rows()
        size = len(whole)
        n_val, n_test = count_of(size, self.val_size), count_of(size, self.test_size)
        if n_val + n_test >= size:
            raise UserError(
                f"val_size={self.val_size} and test_size={self.test_size} leave none of the {size} rows of"
                f" row_length={self.row_length} words to train on"
            )
        order = permutation(size, seed=0)
        test, others = order[:n_test], torch.sort(order[n_test:]).values
        others = others[permutation(len(others), self.seed)]
        parts = (others[n_val:], others[:n_val], test)
        return tuple(WordRows(whole.tokens, whole.texts, self.row_length, torch.sort(part).values) for part in parts)

    @override
    def make_train_and_val(self) -> tuple[WordRows, WordRows]:
        train, val, _ = self._parts()
        return train, val

    @override
    def make_test(self) -> WordRows:
        return self._parts()[2]

    @override
    def in_order(self, dataset: Dataset[Any]) -> DataLoader[Batch]:
        assert isinstance(dataset, WordRows)
        return super().in_order(FixedContexts(dataset, self._draw))

    @override
    def state_dict(self) -> dict[str, Any]:
        """Return the words and their counts, as plain strings and numbers."""
        if self._vocabulary is None:
            return {}
        return {"words": self._vocabulary.words, "counts": self._counts.tolist()}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the vocabulary of a checkpoint, and read what is loaded already in its words."""
        if "words" not in state_dict or "counts" not in state_dict:
            return
        known, counts = self._vocabulary, self._counts.tolist()
        if known is not None and known.words == state_dict["words"] and counts == state_dict["counts"]:
            return
        self._take_vocabulary(state_dict["words"], state_dict["counts"])
        if self.train_set is not None:
            self.train_set, self.val_set = self.make_train_and_val()
        if self.test_set is not None:
            self.test_set = self.make_test()
