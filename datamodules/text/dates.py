"""Dates as people write them, and as ISO 8601 does: pairs that need no download."""

import random
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, ClassVar, Literal

from typing_extensions import override

from datamodules.text.text_pairs import Pairs, TextPairsDataModule
from dlmodules.sequences.tokenizers import Kind
from dlmodules.validation.arguments import check_at_least, check_at_least_one

FIRST, DAYS = date(1900, 1, 1), 73_049  # to the end of 2099
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
FORMS = (
    "{weekday}, {day} {month} {year}",
    "{weekday}, {month} {day}, {year}",
    "{weekday} the {ordinal} of {month} {year}",
    "{month} {day}, {year}",
    "{day} {month} {year}",
    "{short_weekday} {day} {short_month} {year}",
    "{short_month} {ordinal} {year}",
    "{day}. {short_month} {year}",
    "{day}.{number}.{year}",
    "{number}/{day}/{year}",
)


def written(day: date, form: str) -> str:
    """Return ``day`` in one of ``FORMS``."""
    month, weekday = MONTHS[day.month - 1], WEEKDAYS[day.weekday()]
    ending = "th" if 10 < day.day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    return form.format(
        day=day.day,
        ordinal=f"{day.day}{ending}",
        number=day.month,
        month=month,
        short_month=month[:3],
        weekday=weekday,
        short_weekday=weekday[:3],
        year=day.year,
    )


class DatesDataModule(TextPairsDataModule):
    """Made-up pairs of characters: ``thursday, 4 june 1998`` and ``1998-06-04``, in ten forms.

    The days of 1900 to 2099 for training, validation and test are disjoint, and those for the test are the same for
    every ``seed``.

    Args:
        train_size: pairs for training, 1 or more.
        val_size: pairs for validation.
        test_size: pairs for the test.
        tokenizer: of sources and targets.
        **kwargs: of ``TextPairsDataModule``.

    Raises:
        UserError: for a number out of range.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        **{"batch_size": 4, "tokenizer": "characters", "vocabulary_size": 60},
        **{"train_size": 64, "val_size": 8, "test_size": 8},
    }

    def __init__(
        self,
        train_size: int = 20_000,
        val_size: int = 1000,
        test_size: int = 1000,
        *,
        tokenizer: Kind = "characters",
        **kwargs: Any,
    ) -> None:
        check_at_least_one(train_size=train_size)
        check_at_least(0, val_size=val_size, test_size=test_size)
        super().__init__(tokenizer=tokenizer, **kwargs)
        self.counts = {"train": train_size, "val": val_size, "test": test_size}

    @override
    def read(self, part: Literal["train", "val", "test"]) -> Pairs:
        # Days by their number: one in ten is for the test, one in ten for validation.
        remainders = {"train": range(2, 10), "val": (1,), "test": (0,)}[part]
        days = [day for day in range(DAYS) if day % 10 in remainders]
        draw = random.Random(f"{part} {0 if part == 'test' else self.seed}")
        found = Pairs([], [])
        for day in draw.choices(days, k=self.counts[part]):
            one = FIRST + timedelta(days=day)
            found.sources.append(written(one, draw.choice(FORMS)))
            found.targets.append(one.isoformat())
        return found
