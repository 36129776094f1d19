"""Drawings as strokes of a pen, and as the offsets from each of its points to the next."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
"""Where the pen was while it touched the paper, ``(N, 2)``: x to the right and y upwards."""

Offsets = npt.NDArray[np.float32]
"""A drawing as ``(T, 3)``: the offset x, y from the point before, and 1 where the pen is lifted after this one."""


class Line(NamedTuple):
    """A line of handwriting.

    Args:
        strokes: one for each time that the pen touches the paper, in their order.
        characters: what is written, as numbers from 1 on.
    """

    strokes: list[Points]
    characters: Sequence[int]


def to_offsets(strokes: Sequence[Points]) -> Offsets:
    """Return strokes as offsets ``(T, 3)``; the first is zero, so that a drawing begins where the paper does."""
    points = np.concatenate(strokes)
    lifted = np.zeros(len(points))
    lifted[np.cumsum([len(stroke) for stroke in strokes]) - 1] = 1
    steps = np.diff(points, axis=0, prepend=points[:1])
    return np.column_stack([steps, lifted]).astype(np.float32)


def to_strokes(offsets: Offsets) -> list[Points]:
    """Return offsets ``(T, 3)`` as the strokes that ``to_offsets`` made them of, from the origin on."""
    points = np.cumsum(offsets[:, :2].astype(np.float64), axis=0)
    ends = np.flatnonzero(offsets[:-1, 2] > 0.5) + 1
    return [stroke for stroke in np.split(points, ends) if len(stroke)]


def simplified(stroke: Points, tolerance: float) -> Points:
    """Return the fewest points of a stroke whose polygon stays within ``tolerance`` of all of them.

    As nearly as the method of Ramer (1972) and of Douglas and Peucker (1973) finds them.
    """
    kept = np.zeros(len(stroke), dtype=bool)
    kept[[0, -1]] = True
    open_spans = [(0, len(stroke) - 1)]
    while open_spans:
        first, last = open_spans.pop()
        if last - first < 2:
            continue
        distances = _distances(stroke[first + 1 : last], stroke[first], stroke[last])
        farthest = int(distances.argmax())
        if distances[farthest] > tolerance:
            place = first + 1 + farthest
            kept[place] = True
            open_spans += [(first, place), (place, last)]
    return stroke[kept]


def _distances(points: Points, start: Points, end: Points) -> npt.NDArray[np.float64]:
    """Return the distances ``(N,)`` of points to the segment between two others."""
    along = end - start
    length = float(along @ along)
    share = np.clip((points - start) @ along / length, 0.0, 1.0) if length > 0 else np.zeros(len(points))
    found: npt.NDArray[np.float64] = np.linalg.norm(points - start - share[:, None] * along, axis=1)
    return found
