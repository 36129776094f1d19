"""Synthetic opinions: texts that need no download."""

import random
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from datamodules.text.text import TextDataModule
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
        **kwargs: of ``TextDataModule``.

    Raises:
        UserError: for a number out of range.
    """

    names = ("negative", "positive")

    def __init__(self, train_texts: int = 1000, test_texts: int = 200, max_opinions: int = 5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_at_least(2, train_texts=train_texts)
        check_at_least(0, test_texts=test_texts)
        check_at_least_one(max_opinions=max_opinions)
        self.train_texts = train_texts
        self.test_texts = test_texts
        self.max_opinions = max_opinions

    @override
    def load(self, train: bool) -> tuple[list[str], Tensor]:
        """Return the texts for training, or those for the test: every other one is positive."""
        draw = random.Random(int(train))
        n = self.train_texts if train else self.test_texts
        texts = [toy_text(draw, bool(row % 2), self.max_opinions) for row in range(n)]
        return texts, torch.arange(n) % 2
