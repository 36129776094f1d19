"""Made-up letters: whose they are, and that each batch is what the base promises."""

from typing import Any

import numpy as np
import pytest
import torch

from datamodules import LetterStrokesDataModule
from datamodules.strokes.letters import random_text
from dlmodules.errors import UserError


def small(**arguments: Any) -> LetterStrokesDataModule:
    given = {**LetterStrokesDataModule.small_arguments, "shortest": 1, "longest": 4, **arguments}
    return LetterStrokesDataModule(**given)


def test_batches_are_strokes_and_characters() -> None:
    data = small()
    strokes, text = next(iter(data.train_dataloader()))
    assert (strokes.dtype, text.dtype) == (torch.float32, torch.int64)
    assert (strokes.ndim, strokes.shape[2], len(text)) == (3, 3, len(strokes))
    inside = strokes[..., 2] >= 0
    assert (strokes[:, 0, :2] == 0).all()
    assert set(strokes[..., 2].unique().tolist()) <= {-1.0, 0.0, 1.0}
    assert (strokes[~inside] == torch.tensor([0.0, 0.0, -1.0])).all()
    last = inside.sum(dim=1) - 1
    assert (strokes[torch.arange(len(strokes)), last, 2] == 1).all()  # a line ends with the pen lifted
    assert 1 <= text[text > 0].min() <= text.max() <= len(data.alphabet) == 37


def test_offsets_have_a_standard_deviation_of_one_in_training() -> None:
    data = small()
    data.setup()
    assert data.train_set is not None
    strokes, _ = data.train_set.__getitems__(range(len(data.train_set)))
    offsets = strokes[:, 1:][strokes[:, 1:, 2] >= 0][:, :2]
    assert offsets.std().item() == pytest.approx(1.0, abs=0.01)
    # The others are divided by the same number, not by their own.
    assert data.val_set is not None
    raw = data.read("val")[0].strokes[0]
    assert (data.val_set[0][0][1, :2] * data.scale).tolist() == pytest.approx((raw[1] - raw[0]).tolist(), abs=1e-5)


def test_the_test_is_the_same_for_every_seed_and_training_is_not() -> None:
    first, second = small(seed=0), small(seed=1)
    for data in (first, second):
        data.setup()
    for part, same in (("test", True), ("train", False), ("val", False)):
        lines = [data.read(part) for data in (first, second)]
        assert all(a.characters == b.characters for a, b in zip(*lines, strict=True)) == same
    again = small(seed=0).read("train")
    assert all(
        np.array_equal(a, b)
        for one, other in zip(first.read("train"), again, strict=True)
        for a, b in zip(one.strokes, other.strokes, strict=True)
    )


def test_a_writer_has_a_hand_of_its_own() -> None:
    """A letter is more like the same letter of its writer than like that of another one."""
    data = small(shortest=1, longest=1, writers=6, lines=300)
    lines = data.read("train")
    within, between = [], []
    by_writer = [lines[start : start + 300] for start in range(0, len(lines), 300)]
    letter = data.alphabet.index("L") + 1
    drawn = [[line.strokes[0] for line in part if line.characters == [letter]] for part in by_writer]
    assert all(len(part) > 2 for part in drawn)
    ends = [[stroke[-1] - stroke[0] for stroke in part] for part in drawn]
    for number, part in enumerate(ends):
        within.append(np.std(part, axis=0))
        between += [np.mean(part, axis=0) - np.mean(other, axis=0) for other in ends[:number]]
    assert np.abs(between).mean() > 1.5 * np.mean(within)


def test_texts_have_blanks_inside_alone() -> None:
    rng = np.random.default_rng(0)
    texts = [random_text(6, rng) for _ in range(300)]
    assert any(" " in text for text in texts)
    assert all(text == text.strip() and "  " not in text for text in texts)
    assert all(" " not in random_text(length, rng) for length in (1, 2) for _ in range(50))


def test_lines_of_similar_length_are_in_a_batch() -> None:
    data = small(lines=200, batch_size=16)
    waste = [float((strokes[..., 2] < 0).float().mean()) for strokes, _ in data.train_dataloader()]
    assert np.mean(waste) < 0.15


def test_long_lines_are_left_out_of_training_alone() -> None:
    data = small(max_points=15, lines=40)
    data.setup()
    assert data.train_set is not None
    assert data.val_set is not None
    assert data.train_set.lengths.max() <= 15 < data.val_set.lengths.max()
    with pytest.raises(UserError, match="has no lines to train on; max_points is 2"):
        small(max_points=2, longest=1).setup("fit")


def test_training_lines_alone_are_distorted_each_by_a_matrix_of_its_own() -> None:
    plain, distorted = small(val_writers=2), small(val_writers=2, distortion=0.2)
    for (before, _), (after, _) in zip(plain.train_dataloader(), distorted.train_dataloader(), strict=True):
        assert torch.equal(before[..., 2], after[..., 2])
        for old, new in zip(before[..., :2], after[..., :2], strict=True):
            matrix = torch.linalg.lstsq(old, new).solution
            assert torch.allclose(old @ matrix, new, atol=1e-4)
            assert 0.01 < (matrix - torch.eye(2)).abs().max() < 1.0
    for (before, _), (after, _) in zip(plain.val_dataloader(), distorted.val_dataloader(), strict=True):
        assert torch.equal(before, after)
    first, second = (next(iter(distorted.train_dataloader()))[0] for _ in range(2))
    assert torch.equal(first, second)  # the same in the same epoch


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shortest": 0}, "shortest is 0; it must be 1 or more"),
        ({"shortest": 3, "longest": 2}, "longest is 2; it must be shortest=3 or more"),
        ({"writers": 0}, "writers is 0"),
        ({"val_writers": -1}, "val_writers is -1"),
        ({"lines": 0}, "lines is 0"),
        ({"max_points": 1}, "max_points is 1"),
        ({"distortion": -0.1}, r"distortion is -0.1"),
    ],
)
def test_numbers_out_of_range_are_told(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        LetterStrokesDataModule(**arguments)
