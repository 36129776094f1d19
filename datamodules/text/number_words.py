"""Numbers in words, and in digits: pairs of any length that need no download."""

import random
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from typing_extensions import override

from datamodules.text.text_pairs import Pairs, TextPairsDataModule
from dlmodules.errors import UserError
from dlmodules.sequences.tokenizers import Kind
from dlmodules.validation.arguments import check_at_least, check_at_least_one

ONES = (
    *("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
GROUPS = ("", "thousand", "million", "billion", "trillion", "quadrillion")
MOST_DIGITS = 3 * len(GROUPS)


def number_in_words(number: int) -> str:
    """Return a number below 10^18 in words of the short scale, such as ``two hundred five thousand thirty one``."""
    if number == 0:
        return "zero"
    words: list[str] = []
    for place in reversed(range(len(GROUPS))):
        group = number // 1000**place % 1000
        if group == 0:
            continue
        hundreds, rest = divmod(group, 100)
        words += [ONES[hundreds], "hundred"] if hundreds else []
        words += [ONES[rest]] if rest < len(ONES) else [TENS[rest // 10], ONES[rest % 10]]
        words.append(GROUPS[place])
    return " ".join(word for word in words if word)


def with_zeros(draw: random.Random, below: int) -> int:
    """Return a random number, of which one in four has each group of three digits set to zero with probability 1/2."""
    number = draw.randrange(below)
    if draw.random() < 0.25:
        number -= sum(number // 1000**place % 1000 * 1000**place for place in range(len(GROUPS)) if draw.random() < 0.5)
    return number


class NumberWordsDataModule(TextPairsDataModule):
    """Made-up pairs of a number in words and its digits: ``nine hundred five`` and ``905``.

    For training and validation all numbers of digits are equally frequent, and one number in four has groups of zeros,
    such as ``three million five``, which are rare among random ones. Each number for the test is random, has ``digits``
    digits, and is not trained on; the test is the same for every ``seed``. Of 18 digits a number has about 26 words.

    Args:
        digits: digits of a number at most, 1 to 18.
        train_size: pairs for training, 1 or more.
        val_size: pairs for validation.
        test_size: pairs for the test.
        tokenizer: of the words.
        target_tokenizer: of the digits.
        **kwargs: of ``TextPairsDataModule``.

    Raises:
        UserError: for a number out of range.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        **{"batch_size": 4, "digits": 1, "target_tokenizer": "spaced"},
        **{"train_size": 64, "val_size": 8, "test_size": 8},
    }

    def __init__(
        self,
        digits: int = 18,
        train_size: int = 20_000,
        val_size: int = 1000,
        test_size: int = 1000,
        *,
        tokenizer: Kind = "spaced",
        target_tokenizer: Kind | None = "characters",
        **kwargs: Any,
    ) -> None:
        if not 1 <= digits <= MOST_DIGITS:
            raise UserError(f"digits is {digits}; it must lie in 1..{MOST_DIGITS}")
        check_at_least_one(train_size=train_size)
        check_at_least(0, val_size=val_size, test_size=test_size)
        super().__init__(tokenizer=tokenizer, target_tokenizer=target_tokenizer, **kwargs)
        self.digits = digits
        self.counts = {"train": train_size, "val": val_size, "test": test_size}

    @override
    def read(self, part: Literal["train", "val", "test"]) -> Pairs:
        fixed = random.Random("test")
        lowest = 10 ** (self.digits - 1) if self.digits > 1 else 0
        held_out = [fixed.randrange(lowest, 10**self.digits) for _ in range(self.counts["test"])]
        if part == "test":
            numbers = held_out
        else:
            draw, kept_apart = random.Random(f"{part} {self.seed}"), set(held_out)
            drawn = (with_zeros(draw, 10 ** draw.randint(1, self.digits)) for _ in range(self.counts[part]))
            numbers = [number for number in drawn if number not in kept_apart]
        return Pairs([number_in_words(number) for number in numbers], [str(number) for number in numbers])
