"""The letters and digits of a made-up script, as strokes between control points."""

import numpy as np

from datamodules.strokes.drawings import Points

HEIGHT = 10.0
"""Of a letter, in the units of the table."""

# Strokes stand between bars, in the order of writing; "~" begins one that is a curve through its points. No two
# characters look alike: 0 has a slash, 1 no serifs, 7 and Z a bar.
_TABLE = {
    "A": "0,0 3,10 6,0|1,4 5,4",
    "B": "0,10 0,0|~0,10 3.8,9.6 4.6,7.6 3.4,5.6 0,5.2|~0,5.2 4.4,4.8 5.6,2.6 4.2,0.4 0,0",
    "C": "~6,8.4 4,10 1.2,8.8 0,5 1.2,1.2 4,0 6,1.6",
    "D": "0,10 0,0|~0,10 3.6,9.4 5.8,5 3.6,0.6 0,0",
    "E": "5.5,10 0,10 0,0 5.5,0|0,5 4.5,5",
    "F": "5.5,10 0,10 0,0|0,5 4.5,5",
    "G": "~6,8.4 4,10 1.2,8.8 0,5 1.2,1.2 4,0 6,1.8|3.5,4.6 6,4.6 6,0",
    "H": "0,10 0,0|6,10 6,0|0,5 6,5",
    "I": "0.5,10 4.5,10|2.5,10 2.5,0|0.5,0 4.5,0",
    "J": "1.5,10 6,10|~4.2,10 4.2,3 3.4,0.6 1.6,0.2 0,2.4",
    "K": "0,10 0,0|5.5,10 0,4.6|1.6,6 6,0",
    "L": "0,10 0,0 5.2,0",
    "M": "0,0 0.6,10 3.5,3.5 6.4,10 7,0",
    "N": "0,0 0,10 5.8,0 5.8,10",
    "O": "~3,10 0.9,8.6 0,5 0.9,1.4 3,0 5.1,1.4 6,5 5.1,8.6 3,10",
    "P": "0,10 0,0|~0,10 4,9.6 5.2,7.4 4,5.2 0,4.8",
    "Q": "~3,10 0.9,8.6 0,5 0.9,1.4 3,0 5.1,1.4 6,5 5.1,8.6 3,10|3.8,2.8 6.6,-1.2",
    "R": "0,10 0,0|~0,10 4,9.6 5.2,7.4 4,5.4 0,5|2.4,5 6,0",
    "S": "~5.6,8.6 3.2,10 0.6,8.2 1.4,6 4.6,4.2 5.6,2 3,0 0.2,1.6",
    "T": "0,10 6,10|3,10 3,0",
    "U": "~0,10 0,3.6 1,0.8 3,0 5,0.8 6,3.6 6,10",
    "V": "0,10 3,0 6,10",
    "W": "0,10 1.8,0 3.5,6.5 5.2,0 7,10",
    "X": "0,10 6,0|6,10 0,0",
    "Y": "0,10 3,5 3,0|6,10 3,5",
    "Z": "0,10 6,10 0,0 6,0|1,5 5,5",
    "0": "~2.5,10 0.7,8.6 0,5 0.7,1.4 2.5,0 4.3,1.4 5,5 4.3,8.6 2.5,10|4.4,8.6 0.6,1.4",
    "1": "0.4,7.4 3,10 3,0",
    "2": "~0.3,7.8 1.2,9.5 3.2,10 5,8.6 4.6,6.2 2.6,3 0,0|0,0 5.5,0",
    "3": "~0.3,9 2.5,10 4.8,8.6 4.2,6 1.8,5.2|~1.8,5.2 4.8,4.5 5.4,2.2 3,0 0.2,1.2",
    "4": "4.2,0 4.2,10 0,3.2 6,3.2",
    "5": "5.2,10 0.8,10 0.6,5.6|~0.6,5.6 3.2,6.2 5.4,4.4 5,1.4 2.6,0 0.2,1.2",
    "6": "~4.8,9.6 2.2,8.2 0.4,4.6 0.6,1.4 2.8,0 5,1.4 5,4 2.8,5.2 0.6,3.8",
    "7": "0,10 5.5,10 2,0|1.4,5 5,5",
    "8": "~2.8,5.3 0.6,7.4 1.2,9.4 2.8,10 4.4,9.4 5,7.4 2.8,5.3 0.3,3 0.7,0.7 2.8,0 4.9,0.7 5.3,3 2.8,5.3",
    "9": "~5,7 3.8,5.2 1.6,5.2 0.3,7.4 1.4,9.6 3.6,10 5,8.6 5,7 4.8,3.6 4.2,0",
}

CHARACTERS = "".join(_TABLE)
"""A to Z and 0 to 9."""


class GlyphStroke:
    """A stroke of a glyph.

    Args:
        points: its control points ``(N, 2)``.
        curved: whether it is a curve through them, and not a polygon.
    """

    def __init__(self, points: Points, curved: bool) -> None:
        self.points, self.curved = points, curved

    def drawn(self, points: Points, spacing: float) -> Points:
        """Return the points of the pen where the control points are moved to ``points``, about ``spacing`` apart."""
        if not self.curved:
            return spaced(points, spacing, corners=True)
        return spaced(through(points), spacing, corners=False)


def _read(text: str) -> list[GlyphStroke]:
    strokes = []
    for part in text.split("|"):
        numbers = [[float(number) for number in pair.split(",")] for pair in part.lstrip("~").split()]
        strokes.append(GlyphStroke(np.array(numbers), part.startswith("~")))
    return strokes


GLYPHS = {character: _read(text) for character, text in _TABLE.items()}
"""The strokes of each character."""


def through(points: Points, pieces: int = 8) -> Points:
    """Return a smooth curve through ``points``, of straight pieces: a spline of Catmull and Rom (1974)."""
    before, after = 2 * points[0] - points[1], 2 * points[-1] - points[-2]
    p = np.vstack([before, points, after])
    t = np.linspace(0, 1, pieces, endpoint=False)[:, None]
    parts = [
        b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
        for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False)
    ]
    return np.vstack([*parts, points[-1:]])


def spaced(line: Points, spacing: float, corners: bool) -> Points:
    """Return points in equal steps of about ``spacing`` along a polygon; with ``corners`` each side by itself."""
    if corners:
        sides = [spaced(line[place : place + 2], spacing, corners=False)[1:] for place in range(len(line) - 1)]
        return np.vstack([line[:1], *sides])
    along = np.concatenate([[0.0], np.linalg.norm(np.diff(line, axis=0), axis=1).cumsum()])
    steps = max(1, round(float(along[-1]) / spacing))
    wanted = np.linspace(0, along[-1], steps + 1)
    return np.column_stack([np.interp(wanted, along, line[:, axis]) for axis in (0, 1)])
