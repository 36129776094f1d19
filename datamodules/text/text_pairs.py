"""Pairs of texts, of which a model writes the second for the first: a translation, a summary, an answer."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from torch.utils.data import DistributedSampler
from typing_extensions import override

from datamodules.base.in_memory import InMemoryDataModule
from datamodules.base.length_batches import LengthSampler
from datamodules.base.sampling import shuffled
from datamodules.text.padded import Tokens
from datamodules.text.pair_dataset import PairDataset
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.sequences.pairs import source_ids, target_ids
from dlmodules.sequences.tokenizers import Kind, SavedTokenizer, as_plain, from_plain, make_tokenizer
from dlmodules.sequences.vocabulary import MARKS
from dlmodules.validation.arguments import check_at_least, check_at_least_one


class Pairs(NamedTuple):
    """Texts, and as many others that belong to them, in the same order."""

    sources: list[str]
    targets: list[str]

    def take(self, rows: list[int]) -> "Pairs":
        """Return some ``rows`` of them."""
        return Pairs([self.sources[row] for row in rows], [self.targets[row] for row in rows])


class TextPairsDataModule(InMemoryDataModule[PairDataset, Batch]):
    """Base of the data modules of pairs: batches ``(source, target)`` of token ids ``(B, S)`` and ``(B, T)`` int64.

    A source ends with the id of ``<stop>``; a target begins with that of ``<start>`` and ends with that of ``<stop>``;
    behind it is padding (0). The tokenizers are made of the pairs for training and are in a run's checkpoint as plain
    values. A child implements ``read``.

    Args:
        batch_size: pairs of a batch, 1 or more.
        tokenizer: ``characters``, ``words`` (in lower case, without marks), ``words_and_marks`` (in lower case),
            ``spaced`` (what stands between blanks) or ``byte_pairs``, of the sources.
        target_tokenizer: of the targets; None for the same kind as the sources'.
        vocabulary_size: token ids of the sources at most, those of padding, the unknown and the ends included.
        target_vocabulary_size: those of the targets; None for as many.
        shared: one tokenizer for both, made of sources and targets together.
        reverse_source: give the sources from their last token to their first (Sutskever et al. 2014).
        max_length: pairs with a longer source or target, in tokens, are left out of training; None for none.
        batching: ``length`` makes training batches of pairs of similar length; ``random`` takes pairs at random.
        **kwargs: of ``InMemoryDataModule``, all but ``train_transform``.

    Raises:
        UserError: for an argument out of range, and where nothing is left to train on.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"batch_size": 4}
    unit = "pairs"

    def __init__(
        self,
        batch_size: int = 64,
        tokenizer: Kind = "words_and_marks",
        target_tokenizer: Kind | None = None,
        vocabulary_size: int = 8000,
        target_vocabulary_size: int | None = None,
        shared: bool = False,
        reverse_source: bool = False,
        max_length: int | None = None,
        batching: Literal["length", "random"] = "length",
        **kwargs: Any,
    ) -> None:
        if batching not in ("length", "random"):
            raise UserError(f"batching is {batching!r}; it must be length or random")
        if shared and (target_tokenizer not in (None, tokenizer) or target_vocabulary_size is not None):
            raise UserError("shared makes one tokenizer: leave target_tokenizer and target_vocabulary_size out")
        check_at_least(5, vocabulary_size=vocabulary_size)
        if target_vocabulary_size is not None:
            check_at_least(5, target_vocabulary_size=target_vocabulary_size)
        check_at_least_one(max_length=max_length)
        super().__init__(batch_size=batch_size, train_transform=None, **kwargs)
        self.kinds = (tokenizer, target_tokenizer or tokenizer)
        self.sizes = (vocabulary_size, target_vocabulary_size or vocabulary_size)
        self.shared = shared
        self.reverse_source = reverse_source
        self.max_length = max_length
        self.batching = batching
        self._tokenizers: tuple[SavedTokenizer, SavedTokenizer] | None = None
        self._train: Pairs | None = None

    def read(self, part: Literal["train", "val", "test"]) -> Pairs:
        """Return the pairs of a part, of which none is in another one."""
        raise NotImplementedError

    @property
    @override
    def class_names(self) -> list[str]:
        """No classes."""
        return []

    @property
    def tokenizers(self) -> tuple[SavedTokenizer, SavedTokenizer]:
        """What makes the tokens of sources and of targets; the pairs are read for it where there are none yet."""
        if self._tokenizers is None:
            sources, targets = self._training_pairs()
            if self.shared:
                one = make_tokenizer(self.kinds[0], [*sources, *targets], self.sizes[0], MARKS)
                self._tokenizers = one, one
            else:
                self._tokenizers = (
                    make_tokenizer(self.kinds[0], sources, self.sizes[0], MARKS),
                    make_tokenizer(self.kinds[1], targets, self.sizes[1], MARKS),
                )
        return self._tokenizers

    def example_pairs(self, n: int) -> list[tuple[str, str]]:
        """Return at most ``n`` sources and targets of the validation, or of the training where it has none."""
        pairs = self.read("val")
        pairs = pairs if pairs.sources else self._training_pairs()
        return list(zip(*pairs, strict=True))[:n]

    def _training_pairs(self) -> Pairs:
        if self._train is None:
            self._train = self.read("train")
            if not self._train.sources:
                raise UserError(f"{type(self).__name__} has no pairs to train on")
        return self._train

    def _encoded(self, pairs: Pairs) -> tuple[list[Tokens], list[Tokens]]:
        source, target = self.tokenizers
        sources = [np.array(source_ids(source, text, self.reverse_source), np.int32) for text in pairs.sources]
        targets = [np.array(target_ids(target, text), np.int32) for text in pairs.targets]
        return sources, targets

    @override
    def make_train_and_val(self) -> tuple[PairDataset, PairDataset]:
        sources, targets = self._encoded(self._training_pairs())
        if self.max_length is not None:
            longest = self.max_length + 1  # the source has a stop, the target is predicted behind a start
            kept = [row for row, source in enumerate(sources) if max(len(source), len(targets[row]) - 1) <= longest]
            if not kept:
                raise UserError(f"max_length={self.max_length} leaves none of the {len(sources)} pairs to train on")
            sources, targets = [sources[row] for row in kept], [targets[row] for row in kept]
        return PairDataset(sources, targets), PairDataset(*self._encoded(self.read("val")))

    @override
    def make_test(self) -> PairDataset:
        return PairDataset(*self._encoded(self.read("test")))

    @override
    def train_sampler(self, dataset: PairDataset) -> DistributedSampler[Any]:
        if self.batching == "random":
            return super().train_sampler(dataset)
        kind = partial(LengthSampler, lengths=dataset.lengths.numpy(), batch_size=self.batch_size)
        return shuffled(dataset, self.seed, self.drop_last, kind)

    @override
    def state_dict(self) -> dict[str, Any]:
        """Return the tokenizers, as plain values."""
        if self._tokenizers is None:
            return {}
        return {"tokenizers": [as_plain(tokenizer) for tokenizer in self._tokenizers]}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the tokenizers of a checkpoint, and encode what is loaded already by them."""
        if "tokenizers" not in state_dict:
            return
        source, target = (from_plain(plain) for plain in state_dict["tokenizers"])
        if (source, target) == self._tokenizers:
            return
        self._tokenizers = source, target
        self.make_again()
