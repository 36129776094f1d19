"""Pairs of segments of running texts, of which the second follows on the first or does not."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import override

from datamodules.base.in_memory import count_of, permutation
from datamodules.text.corpus import read_file_or_folder, shipped_text
from datamodules.text.imdb import IMDBDataModule
from datamodules.text.padded import FlatRows
from datamodules.text.tokenized import TokenizedDataModule
from dlmodules.errors import UserError
from dlmodules.sequences.masking import BERT_MARKS
from dlmodules.sequences.tokenizers import Kind, SavedTokenizer, make_tokenizer
from dlmodules.sequences.vocabulary import Vocabulary
from dlmodules.validation.arguments import check_amounts, check_at_least

Triple = tuple[Tensor, Tensor, Tensor]


class SentencePairs(Dataset[Triple]):
    """Two segments of at most ``length`` tokens each, of one document or of two.

    Args:
        documents: the token ids of each, of at least two tokens.
        length: tokens of a segment at most.
        marks: the ids of ``[CLS]`` and ``[SEP]``.
        seed: of what follows on what.
    """

    def __init__(self, documents: Sequence[Any], length: int, marks: tuple[int, int], seed: int) -> None:
        self.marks = marks
        draw = np.random.default_rng(seed)
        firsts, seconds, follows = [], [], []
        parts = [self._cut(document, length) for document in documents]
        for number, segments in enumerate(parts):
            for place in range(0, len(segments) - 1, 2):
                goes_on = len(parts) == 1 or bool(draw.random() < 0.5)
                other = segments if goes_on else parts[(number + draw.integers(1, len(parts))) % len(parts)]
                firsts.append(segments[place])
                seconds.append(other[place + 1] if goes_on else other[draw.integers(len(other))])
                follows.append(int(goes_on))
        self.firsts, self.seconds, self.follows = FlatRows(firsts), FlatRows(seconds), torch.tensor(follows)

    @staticmethod
    def _cut(document: Any, length: int) -> list[Any]:
        """Return the segments of a document, two or more, none of which is empty."""
        pieces = max(2, -(-len(document) // length))
        return [part for part in np.array_split(document, pieces) if len(part) > 0]

    def __len__(self) -> int:
        return len(self.follows)

    @override
    def __getitem__(self, index: int) -> Triple:
        """Return tokens ``(T,)``, segments ``(T,)`` and whether the second follows ``()`` of one pair."""
        tokens, segments, follows = self.__getitems__([index])
        return tokens[0], segments[0], follows[0]

    def __getitems__(self, indices: Sequence[int]) -> Triple:
        """Return tokens ``(B, T)``, segments ``(B, T)`` and whether the second follows on the first ``(B,)``."""
        rows = torch.as_tensor(indices)
        first, second = self.firsts.lengths[rows], self.seconds.lengths[rows]
        width = int((first + second).max()) + 3
        places = torch.arange(width)
        heads, tails = self.firsts.padded(indices, width=width), self.seconds.padded(indices, width=width)
        # [CLS] A [SEP] B [SEP]
        end = (first + 1)[:, None]
        last = end + second[:, None] + 1
        tokens = heads.gather(1, (places - 1).clamp(0).expand(len(rows), -1))
        behind = tails.gather(1, (places - end - 1).clamp(0))
        tokens = torch.where(places > end, behind, tokens)
        tokens[:, 0] = self.marks[0]
        tokens = torch.where((places == end) | (places == last), self.marks[1], tokens)
        tokens = tokens.masked_fill(places > last, 0)
        segments = ((places > end) & (places <= last)).long()
        return tokens, segments, self.follows[rows]


class SentencePairsDataModule(TokenizedDataModule[SentencePairs, Triple]):
    """Batches ``(tokens, segments, follows)``: ``[CLS] A [SEP] B [SEP]``, as BERT is trained on them.

    Tokens are ``(B, T)`` int64, padded with 0 at their ends; segments ``(B, T)`` are 0 for A and 1 for B; follows
    ``(B,)`` is 1 where B is what comes behind A, and 0 where it is of another document. A document is what stands
    between empty lines. Validation and test have documents of their own. A child overrides ``documents``.

    Args:
        file: a text file in UTF-8, compressed by gzip or not, or a folder of such; None takes the English text that
            scikit-learn ships.
        batch_size: pairs of a batch, 1 or more.
        context: tokens of a pair at most, the three marks included, 8 or more.
        tokenizer: ``characters``, ``words``, ``words_and_marks``, ``spaced`` or ``byte_pairs``.
        vocabulary_size: token ids at most, those of padding, the unknown and the marks included.
        vocabulary_file: JSON file of the vocabulary, which is written for whoever reads the same words later, such as
            ``IMDBDataModule``; None for no file.
        val_size: documents for validation: a number of them, or a fraction in (0, 1); 0 for none.
        test_size: documents for the test, in the same way.
        **kwargs: of ``InMemoryDataModule``, all but ``train_transform``.

    Raises:
        UserError: for an argument out of range, a file that cannot be read, and too few documents.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        "batch_size": 4,
        "context": 24,
        "vocabulary_size": 200,
        "vocabulary_file": None,
    }
    unit = "pairs"

    def __init__(
        self,
        file: str | None = None,
        batch_size: int = 32,
        context: int = 128,
        tokenizer: Kind = "words",
        vocabulary_size: int = 10_000,
        vocabulary_file: str | None = None,
        val_size: int | float = 0.05,
        test_size: int | float = 0.05,
        **kwargs: Any,
    ) -> None:
        check_at_least(8, context=context, vocabulary_size=vocabulary_size)
        check_amounts("documents", val_size=val_size, test_size=test_size)
        super().__init__(batch_size=batch_size, **kwargs)
        self.file = None if file is None else Path(file).expanduser()
        self.context = context
        self.kind = tokenizer
        self.vocabulary_size = vocabulary_size
        self.vocabulary_file = None if vocabulary_file is None else Path(vocabulary_file).expanduser()
        self.val_size = val_size
        self.test_size = test_size
        self._parts: dict[str, list[str]] | None = None

    def documents(self) -> list[str]:
        """Return the texts, each whole."""
        text = shipped_text() if self.file is None else read_file_or_folder(self.file)
        return [part for part in text.split("\n\n") if part.strip()]

    @property
    @override
    def class_names(self) -> list[str]:
        """No classes."""
        return []

    def parts(self) -> dict[str, list[str]]:
        """Return the documents for training, validation and test; they are read once."""
        if self._parts is None:
            self._parts = self._split()
        return self._parts

    def _split(self) -> dict[str, list[str]]:
        documents = self.documents()
        order = permutation(len(documents), seed=0).tolist()
        n_val, n_test = (count_of(len(documents), size) for size in (self.val_size, self.test_size))
        if n_val + n_test >= len(documents):
            raise UserError(
                f"val_size={self.val_size} and test_size={self.test_size} leave none of the {len(documents)} documents"
                " to train on"
            )
        cut = len(order) - n_val - n_test
        rows = {"train": order[:cut], "val": order[cut : cut + n_val], "test": order[cut + n_val :]}
        return {part: [documents[row] for row in chosen] for part, chosen in rows.items()}

    @override
    def make_tokenizer(self) -> SavedTokenizer:
        made = make_tokenizer(self.kind, self.parts()["train"], self.vocabulary_size, BERT_MARKS)
        if self.vocabulary_file is not None:
            if not isinstance(made, Vocabulary):
                raise UserError(f"vocabulary_file is for words, but tokenizer is {self.kind}")
            made.save(self.vocabulary_file)
        return made

    def _pairs(self, documents: list[str], seed: int) -> SentencePairs:
        tokenizer = self.tokenizer
        encoded = [np.array(tokenizer.encode(document), dtype=np.int32) for document in documents]
        marks = [tokenizer.id_of(mark) for mark in BERT_MARKS[:2]]
        if None in marks:
            raise UserError(f"the tokenizer has no {' and '.join(BERT_MARKS[:2])}")
        length = (self.context - 3) // 2
        return SentencePairs([one for one in encoded if len(one) >= 2], length, (marks[0] or 0, marks[1] or 0), seed)

    @override
    def make_train_and_val(self) -> tuple[SentencePairs, SentencePairs]:
        parts = self.parts()
        train = self._pairs(parts["train"], self.seed)
        if len(train) == 0:
            raise UserError(f"{type(self).__name__} has no documents of two words or more to train on")
        return train, self._pairs(parts["val"], 1)

    @override
    def make_test(self) -> SentencePairs:
        return self._pairs(self.parts()["test"], 2)


class IMDBPairsDataModule(SentencePairsDataModule):
    """Pairs of segments of IMDB's reviews, for training without their labels.

    Read as ``IMDBDataModule`` reads them: those for training alone, so that its test stays unseen.

    Args:
        holdout: as many reviews as ``IMDBDataModule`` takes for its test by ``test_size`` where there is no archive.
        data_dir: folder of the data sets; ``$DLMODULES_DATA`` or ``./data`` where None.
        **kwargs: of ``SentencePairsDataModule``, all but ``file``.
    """

    def __init__(self, *, holdout: int | float = 0, data_dir: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._reviews = IMDBDataModule(test_size=holdout, data_dir=data_dir)

    @override
    def prepare_data(self) -> None:
        """Download the reviews where they are not there."""
        self._reviews.prepare_data()

    @override
    def documents(self) -> list[str]:
        return self._reviews.load(train=True)[0]

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give texts that need no download."""
        return SentencePairsDataModule
