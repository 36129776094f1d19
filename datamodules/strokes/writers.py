"""Made-up writers: each has a hand of its own, and writes no letter twice in the same way."""

import numpy as np

from datamodules.strokes.drawings import Points
from datamodules.strokes.glyphs import CHARACTERS, GLYPHS, HEIGHT

BLANK = " "
ALPHABET = BLANK + CHARACTERS
"""What a made-up writer can write."""


class MadeUpWriter:
    """Writes letters with a slant, width, size and shapes of its own.

    Args:
        rng: draws all that makes the writer.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.slant = rng.uniform(-0.1, 0.45)
        self.width = rng.uniform(0.75, 1.25)
        self.rise = rng.uniform(-0.06, 0.06)
        self.gap = rng.uniform(1.5, 3.5)
        self.spacing = rng.uniform(1.9, 2.6)
        self.tremor = rng.uniform(0.02, 0.12)
        # How the writer bends each stroke, always in the same way.
        self.shapes = {
            character: [rng.normal(0, 0.4, stroke.points.shape) for stroke in GLYPHS[character]]
            for character in CHARACTERS
        }

    def write(self, text: str, rng: np.random.Generator) -> list[Points]:
        """Return the strokes of a text of characters of ``ALPHABET``; ``rng`` makes the difference of each time."""
        strokes: list[Points] = []
        x = 0.0
        for character in text:
            if character == BLANK:
                x += 4.5 * self.width * rng.uniform(0.9, 1.2)
                continue
            letter = self._letter(character, rng)
            left, right = min(part[:, 0].min() for part in letter), max(part[:, 0].max() for part in letter)
            strokes += [part + np.array([x - left, 0.0]) for part in letter]
            x += right - left + self.gap * rng.uniform(0.8, 1.2)
        turned = np.array([[1.0, self.rise], [self.slant, 1.0]])  # a point is a row
        return [part @ turned / HEIGHT for part in strokes]

    def _letter(self, character: str, rng: np.random.Generator) -> list[Points]:
        size = rng.normal(1.0, 0.04, 2) * [self.width, 1.0]
        parts = []
        for stroke, shape in zip(GLYPHS[character], self.shapes[character], strict=True):
            moved = (stroke.points + shape + rng.normal(0, 0.15, shape.shape)) * size
            drawn = stroke.drawn(moved, self.spacing * rng.uniform(0.9, 1.1))
            parts.append(drawn + rng.normal(0, self.tremor, drawn.shape))
        return parts
