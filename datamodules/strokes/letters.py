"""Words in a made-up script, written by made-up writers."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from datamodules.strokes.drawings import Line
from datamodules.strokes.strokes import Part, StrokesDataModule
from datamodules.strokes.writers import ALPHABET, BLANK, MadeUpWriter
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_at_least, check_at_least_one

OF_THE_TEST = 2**32 - 1


class LetterStrokesDataModule(StrokesDataModule):
    """Lines of letters and digits at random, with a blank here and there, by made-up writers; no download.

    Each writer has a slant, a width and shapes of letters of its own, and writes no letter twice in the same way. The
    writers of the validation and of the test write nothing for the training. Those of the test and what they write
    are the same for every ``seed``.

    Args:
        shortest: characters of a line at least, 1 or more.
        longest: characters of a line at most.
        writers: those of the training, 1 or more.
        val_writers: those of the validation; 0 for none.
        test_writers: those of the test; 0 for none.
        lines: of each writer, 1 or more.
        batch_size: lines of a batch, 1 or more.
        **kwargs: of ``StrokesDataModule``.

    Raises:
        UserError: for a number out of range.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        "longest": 2,
        "writers": 4,
        "val_writers": 1,
        "test_writers": 1,
        "lines": 8,
        "batch_size": 4,
    }

    def __init__(
        self,
        shortest: int = 1,
        longest: int = 6,
        writers: int = 64,
        val_writers: int = 8,
        test_writers: int = 16,
        lines: int = 100,
        batch_size: int = 32,
        **kwargs: Any,
    ) -> None:
        check_at_least_one(shortest=shortest, writers=writers, lines=lines)
        check_at_least(0, val_writers=val_writers, test_writers=test_writers)
        if longest < shortest:
            raise UserError(f"longest is {longest}; it must be shortest={shortest} or more")
        super().__init__(batch_size=batch_size, **kwargs)
        self.shortest, self.longest = shortest, longest
        self.writers: dict[Part, int] = {"train": writers, "val": val_writers, "test": test_writers}
        self.lines = lines

    @property
    @override
    def alphabet(self) -> str:
        """A blank, A to Z and 0 to 9."""
        return ALPHABET

    @override
    def read(self, part: Part) -> list[Line]:
        seed = {"train": 2 * self.seed, "val": 2 * self.seed + 1, "test": OF_THE_TEST}[part]
        found = []
        for number in range(self.writers[part]):
            rng = np.random.default_rng([seed, number])
            writer = MadeUpWriter(rng)
            for _ in range(self.lines):
                text = random_text(int(rng.integers(self.shortest, self.longest + 1)), rng)
                found.append(Line(writer.write(text, rng), [ALPHABET.index(character) + 1 for character in text]))
        return found


def random_text(length: int, rng: np.random.Generator) -> str:
    """Return a text of ``length`` letters and digits; inside of it some are blanks, no two side by side."""
    text = [ALPHABET[place] for place in rng.integers(1, len(ALPHABET), length)]
    for place in range(1, length - 1):
        if rng.random() < 0.2 and text[place - 1] != BLANK:
            text[place] = BLANK
    return "".join(text)
