"""Made-up opinions: texts that need no download."""

import random
from typing import Literal

import torch
from torch import Tensor

from datamodules.text.text import TextDataModule
from datamodules.text.text_dataset import Padding
from dlmodules.validation.arguments import check_at_least, check_at_least_one

GOOD = ("good", "great", "lovely", "clever", "funny", "brilliant")
BAD = ("bad", "awful", "boring", "silly", "tiresome", "poor")
NEUTRAL = ("the", "film", "story", "actor", "scene", "music", "was", "seems", "very", "and", "ending", "plot")


def toy_text(draw: random.Random, positive: bool, max_opinions: int) -> str:
    """Return 1 to ``max_opinions`` opinions of which most are good, or bad, each behind up to three neutral words.

    An opinion is a word, or ``not`` before one of the other kind.
    """
    words: list[str] = []
    opinions = 2 * draw.randrange((max_opinions + 1) // 2) + 1  # of an odd number there is a majority
    for number in range(opinions):
        good = positive if number <= opinions // 2 else not positive
        words += draw.choices(NEUTRAL, k=draw.randrange(4))
        word, opposite = draw.choice(GOOD), draw.choice(BAD)
        if not good:
            word, opposite = opposite, word
        words += ["not", opposite] if draw.random() < 0.2 else [word]
    return " ".join(words)


class ToySentimentDataModule(TextDataModule):
    """Made-up opinions in a vocabulary of 25 words, to try a text classifier without a download.

    Good and bad words stand among neutral ones. Most opinions of a text are of its label, and one in five is said
    by ``not`` before a word of the other kind.

    Args:
        train_texts: texts to train and validate on.
        test_texts: texts to test on; the texts are the same for every ``seed``.
        max_opinions: good or bad words of a text at most, 1 or more.
        batch_size: texts per batch, 1 or more.
        vocabulary_size: the vocabulary's numbers at most, those of padding and unknown words included.
        max_length: words of a text at most, of which the last are kept; None keeps all.
        pad_to: length of all batches, or ``longest`` for that of the longest text in each batch.
        padding: ``front`` (Keras' default) or ``back``, where the zeros go.
        batching: ``length`` makes training batches of texts of similar length, ``random`` takes them at random.
        val_size: validation texts taken from the training texts: a number of them, or a fraction in (0, 1);
            0 for none.
        on_empty: what to do with a text of no words: ``keep`` it as one unknown word, or ``raise``.
        vocabulary_file: JSON file of the vocabulary: read where it is there, else written; None for no file.
        num_workers: processes that make batches; 0, in the main process, is fastest for texts in memory.
        seed: fixes the split and the order of training batches, whatever else draws random numbers.
        drop_last: leave out an epoch's last training batch where it is smaller than the others.
        pin_memory: copy batches to pinned memory, for transfers to a GPU.
        limit_train: use only so many training texts; all where None.

    Raises:
        UserError: for a number out of range.
    """

    names = ("negative", "positive")

    def __init__(
        self,
        train_texts: int = 1000,
        test_texts: int = 200,
        max_opinions: int = 5,
        batch_size: int = 128,
        vocabulary_size: int = 10_000,
        max_length: int | None = 500,
        pad_to: int | Literal["longest"] = "longest",
        padding: Padding = "front",
        batching: Literal["length", "random"] = "length",
        val_size: int | float = 0.2,
        on_empty: Literal["keep", "raise"] = "keep",
        vocabulary_file: str | None = None,
        num_workers: int = 0,
        seed: int = 0,
        drop_last: bool = False,
        pin_memory: bool = False,
        limit_train: int | None = None,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            vocabulary_size=vocabulary_size,
            max_length=max_length,
            pad_to=pad_to,
            padding=padding,
            batching=batching,
            val_size=val_size,
            on_empty=on_empty,
            vocabulary_file=vocabulary_file,
            num_workers=num_workers,
            seed=seed,
            drop_last=drop_last,
            pin_memory=pin_memory,
            limit_train=limit_train,
        )
        check_at_least(2, train_texts=train_texts)
        check_at_least(0, test_texts=test_texts)
        check_at_least_one(max_opinions=max_opinions)
        self.train_texts = train_texts
        self.test_texts = test_texts
        self.max_opinions = max_opinions

    def load(self, train: bool) -> tuple[list[str], Tensor]:
        """Return the texts for training, or those for the test: every other one is positive."""
        draw = random.Random(int(train))
        n = self.train_texts if train else self.test_texts
        texts = [toy_text(draw, bool(row % 2), self.max_opinions) for row in range(n)]
        return texts, torch.arange(n) % 2
