"""Strokes as offsets, and with fewer points."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from datamodules.strokes.dataset import StrokeDataset
from datamodules.strokes.drawings import Line, simplified, to_offsets, to_strokes
from datamodules.strokes.glyphs import CHARACTERS, GLYPHS, spaced, through

TWO_STROKES = [np.array([[5.0, 5.0], [7.0, 4.0]]), np.array([[7.0, 8.0], [6.0, 8.0], [6.0, 5.0]])]


def test_offsets_are_from_the_point_before_and_tell_where_the_pen_is_lifted() -> None:
    offsets = to_offsets(TWO_STROKES)
    assert offsets.dtype == np.float32
    assert offsets.tolist() == [[0, 0, 0], [2, -1, 1], [0, 4, 0], [-1, 0, 0], [0, -3, 1]]


def test_strokes_come_back_from_where_the_first_begins() -> None:
    back = to_strokes(to_offsets(TWO_STROKES))
    assert [stroke.tolist() for stroke in back] == [(stroke - [5, 5]).tolist() for stroke in TWO_STROKES]


def test_a_batch_is_padded_behind_its_lines() -> None:
    data = StrokeDataset([Line(TWO_STROKES, [3, 1]), Line(TWO_STROKES[:1], [2])], scale=2.0)
    assert (len(data), data.lengths.tolist()) == (2, [5, 2])
    strokes, text = data.__getitems__([1, 0])
    assert (strokes.dtype, text.dtype) == (torch.float32, torch.int64)
    assert strokes[0].tolist() == [[0, 0, 0], [1, -0.5, 1], [0, 0, -1], [0, 0, -1], [0, 0, -1]]
    assert strokes[1, 4].tolist() == [0, -1.5, 1]
    assert text.tolist() == [[2, 0], [3, 1]]
    alone, letters = data[1]
    assert alone.tolist() == [[0, 0, 0], [1, -0.5, 1]]
    assert letters.tolist() == [2]


def test_no_point_that_is_left_out_was_far_from_the_line() -> None:
    assert simplified(np.array([[0.0, 0], [1, 0.1], [2, -0.1], [3, 0], [3, 4]]), 0.5).tolist() == [
        [0, 0],
        [3, 0],
        [3, 4],
    ]
    angle = np.linspace(0, np.pi, 200)
    arc = np.column_stack([np.cos(angle), np.sin(angle)])
    kept = simplified(arc, 0.02)
    assert 6 <= len(kept) <= 20
    share = np.linspace(0, 1, 50)[:, None]
    polygon = np.concatenate([a + share * (b - a) for a, b in pairwise(kept)])
    assert np.linalg.norm(arc[:, None] - polygon, axis=2).min(axis=1).max() <= 0.021
    assert len(simplified(arc, 0.0)) == 200
    assert simplified(arc[:1], 1.0).tolist() == arc[:1].tolist()
    closed = np.array([[0.0, 0], [4, 0], [4, 4], [0, 0]])  # whose ends are one point
    assert simplified(closed, 0.5).tolist() == closed.tolist()


def test_a_curve_goes_through_its_control_points_and_points_are_evenly_spaced() -> None:
    control = np.array([[0.0, 0], [4, 1], [5, 5]])
    curve = through(control)
    assert all(np.isclose(curve, point).all(axis=1).any() for point in control)
    steps = np.linalg.norm(np.diff(spaced(curve, 0.5, corners=False), axis=0), axis=1)
    assert steps == pytest.approx(steps.mean(), rel=0.1)
    assert steps.mean() == pytest.approx(0.5, rel=0.1)
    corner = spaced(np.array([[0.0, 0], [3, 0], [3, 1.4]]), 1.0, corners=True)
    assert corner.tolist() == [[0, 0], [1, 0], [2, 0], [3, 0], [3, 1.4]]


def test_every_character_has_strokes_of_two_points_or_more() -> None:
    assert len(CHARACTERS) == len(set(CHARACTERS)) == 36
    for strokes in GLYPHS.values():
        assert strokes
        assert all(stroke.points.shape[1] == 2 and len(stroke.points) > 1 for stroke in strokes)
