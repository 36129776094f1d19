"""The base of the text data modules: three disjoint sets of labelled texts in memory, and their loaders."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, DistributedSampler
from typing_extensions import override

from datamodules.base.in_memory import InMemoryDataModule, count_of, permutation
from datamodules.base.length_batches import LengthSampler
from datamodules.base.sampling import shuffled
from datamodules.text.padded import Padding, Tokens
from datamodules.text.text_dataset import TextDataset
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.sequences.vocabulary import Vocabulary
from dlmodules.validation.arguments import check_amounts, check_at_least, check_at_least_one


class TextDataModule(InMemoryDataModule[TextDataset, Batch]):
    """Batches ``(tokens, y)``: tokens ``(B, T)`` int64, y ``(B,)`` int64 class indices.

    Tokens are the ids of words in the vocabulary of the training texts; 0 is padding, 1 an unknown word.
    Training, validation and test texts are disjoint. The vocabulary is part of a run's checkpoint, as plain
    strings: who tests or resumes with the checkpoint has the token ids of the training. A child sets
    ``names`` (or overrides ``class_names``) and implements ``load``.

    Args:
        batch_size: texts per batch, 1 or more.
        vocabulary_size: token ids at most, those of padding and unknown words included.
        max_length: tokens of a text at most, of which the last are kept, as with Keras' ``pad_sequences``; None
            keeps all.
        pad_to: length of all batches, or ``longest`` for that of the longest text in each batch.
        padding: ``front`` (Keras' default) or ``back``, where the padding goes.
        batching: ``length`` makes training batches of texts of similar length, which wastes little on padding;
            ``random`` takes texts at random.
        val_size: validation texts taken from the training texts: a number of them, or a fraction in (0, 1);
            0 for none.
        on_empty: what to do with a text of no words: ``keep`` it as one unknown word, or ``raise``.
        vocabulary_file: JSON file of the vocabulary: read where it is there, else written; None for no file.
        marks: token ids that no text has, such as ``[CLS]``, in the vocabulary before the words.
        limit_train: use only so many training texts; all where None.
        **kwargs: of ``InMemoryDataModule``, all but ``train_transform``.

    Raises:
        UserError: for a number out of range, and for texts that cannot be trained on.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"batch_size": 8, "vocabulary_file": None}
    unit = "texts"
    names: Sequence[str] = ()

    def __init__(
        self,
        batch_size: int = 128,
        vocabulary_size: int = 10_000,
        max_length: int | None = 500,
        pad_to: int | Literal["longest"] = "longest",
        padding: Padding = "front",
        batching: Literal["length", "random"] = "length",
        val_size: int | float = 0.2,
        on_empty: Literal["keep", "raise"] = "keep",
        vocabulary_file: str | None = None,
        marks: Sequence[str] = (),
        *,
        limit_train: int | None = None,
        **kwargs: Any,
    ) -> None:
        for name, value, known in (
            ("padding", padding, ("front", "back")),
            ("batching", batching, ("length", "random")),
            ("on_empty", on_empty, ("keep", "raise")),
        ):
            if value not in known:
                raise UserError(f"{name} is {value!r}; it must be {' or '.join(known)}")
        check_amounts(self.unit, val_size=val_size)
        check_at_least(3, vocabulary_size=vocabulary_size)
        check_at_least_one(max_length=max_length, limit_train=limit_train)
        self.val_size = val_size
        super().__init__(batch_size=batch_size, train_transform=None, **kwargs)
        self.vocabulary_size = vocabulary_size
        self.max_length = max_length
        self.pad_to = _fixed_length(pad_to, self.max_length)
        self.padding: Padding = padding
        self.marks = list(marks)
        self.batching = batching
        self.on_empty = on_empty
        self.vocabulary_file = None if vocabulary_file is None else Path(vocabulary_file).expanduser()
        self.limit_train = limit_train
        self._vocabulary: Vocabulary | None = None

    @property
    @override
    def class_names(self) -> list[str]:
        """Names of the classes, in the order of their indices."""
        return list(self.names)

    @property
    def vocabulary(self) -> Vocabulary:
        """The words that are known, which the training texts are loaded for where they are not yet."""
        if self._vocabulary is None:
            self.setup("fit")
        assert self._vocabulary is not None
        return self._vocabulary

    def load(self, train: bool) -> tuple[list[str], Tensor]:
        """Return texts and int64 labels ``(N,)``, for training or for the test."""
        raise NotImplementedError

    @override
    def make_train_and_val(self) -> tuple[TextDataset, TextDataset]:
        """Split the training texts in two, and make the vocabulary of the first part."""
        texts, labels = self.load(train=True)
        order, n_val = permutation(len(texts), self.seed), count_of(len(texts), self.val_size)
        if n_val >= len(texts):
            raise UserError(f"val_size={self.val_size} leaves none of the {len(texts)} training texts to train on")
        train, val = order[n_val:][: self.limit_train], order[:n_val]
        if (labels[train] == labels[train[0]]).all():
            only = self.class_names[int(labels[train[0]])]
            raise UserError(f"all {len(train)} training texts are of the class {only!r}; give texts of two or more")
        if self._vocabulary is None:
            self._vocabulary = self._make_vocabulary([texts[row] for row in train.tolist()])
        # No metric depends on the order of the validation texts, and by length they need the least padding.
        val_set = self.subset(texts, labels, val)
        return self.subset(texts, labels, train), val_set.by_length() if len(val_set) > 0 else val_set

    def _make_vocabulary(self, texts: Sequence[str]) -> Vocabulary:
        if self.vocabulary_file is not None and self.vocabulary_file.exists():
            return Vocabulary.load(self.vocabulary_file)
        vocabulary = Vocabulary.of(texts, self.vocabulary_size, self.marks)
        if len(vocabulary.words) == len(self.marks):
            raise UserError(f"none of the {len(texts)} training texts has a word; is this the column of texts?")
        if self.vocabulary_file is not None:
            vocabulary.save(self.vocabulary_file)
        return vocabulary

    @override
    def make_test(self) -> TextDataset:
        texts, labels = self.load(train=False)
        return self.subset(texts, labels, torch.arange(len(texts)))

    def subset(self, texts: Sequence[str], labels: Tensor, rows: Tensor) -> TextDataset:
        """Return the dataset of some ``rows`` of the texts."""
        encoded = [self._encode(texts[row]) for row in rows.tolist()]
        return self._dataset(encoded, labels[rows])

    def _dataset(self, encoded: Sequence[Tokens], labels: Tensor) -> TextDataset:
        return TextDataset(encoded, labels, self.num_classes, self.max_length, self.pad_to, self.padding)

    def _encode(self, text: str) -> Tokens:
        tokens = np.array(self.vocabulary.encode(text), dtype=np.int32)
        if len(tokens) == 0 and self.on_empty == "raise":
            raise UserError(f"the text {text[:60]!r} has no words; remove it, or set on_empty to keep")
        return tokens

    def tokens(self, texts: Sequence[str]) -> Tensor:
        """Return the token ids ``(len(texts), T)`` int64 of any ``texts``, a batch to be classified."""
        labels = torch.zeros(len(texts), dtype=torch.int64)
        return self._dataset([self._encode(text) for text in texts], labels).__getitems__(range(len(texts)))[0]

    @override
    def train_sampler(self, dataset: TextDataset) -> DistributedSampler[Any]:
        if self.batching == "random":
            return super().train_sampler(dataset)
        kind = partial(LengthSampler, lengths=dataset.lengths.numpy(), batch_size=self.batch_size)
        return shuffled(dataset, self.seed, self.drop_last, kind)

    @override
    def test_dataloader(self) -> DataLoader[Batch]:
        """Return the test batches, the shortest texts first."""
        return self.in_order(self.required_test_set().by_length())

    @override
    def predict_dataloader(self) -> DataLoader[Batch]:
        return self.in_order(self.required_test_set())

    @override
    def state_dict(self) -> dict[str, Any]:
        """Return the vocabulary, as plain strings."""
        return {} if self._vocabulary is None else {"words": self._vocabulary.words}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the vocabulary of a checkpoint, and read what is loaded already in its words."""
        if "words" not in state_dict:
            return
        vocabulary = Vocabulary(state_dict["words"])
        if vocabulary == self._vocabulary:
            return
        self._vocabulary = vocabulary
        self.make_again()


def _fixed_length(pad_to: int | Literal["longest"], max_length: int | None) -> int | None:
    """Return the length of all batches, or None where each has its own."""
    if pad_to == "longest":
        return None
    if not isinstance(pad_to, int) or pad_to < 1:
        raise UserError(f"pad_to is {pad_to!r}; it must be longest or a number of tokens, 1 or more")
    if max_length is None or max_length > pad_to:
        raise UserError(f"max_length={max_length} does not fit into pad_to={pad_to}; set max_length to {pad_to}")
    return pad_to
