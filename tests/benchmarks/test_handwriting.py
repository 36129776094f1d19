"""How letters are drawn to be read, and how those of a word are told apart."""

import torch

from benchmarks.programs.handwriting import MARGIN, letters_of, pictures_of, rendered
from dlmodules import HandwritingSynthesis

# A stroke to the right, and one below it; behind it nothing.
TWO_STROKES = torch.tensor([[[0.0, 0, 0], [4, 0, 1], [-4, -2, 0], [4, 0, 1], [0, 0, -1]]])


def test_a_letter_is_as_large_as_its_picture_and_upright() -> None:
    (picture,) = rendered(TWO_STROKES)[0]
    assert picture.shape == (28, 28)
    assert picture.max() == 1
    inked = (picture > 0.5).nonzero()
    edge = int(MARGIN)
    assert inked[:, 1].min() in (edge - 1, edge)
    assert inked[:, 1].max() in (27 - edge, 28 - edge)
    rows = inked[:, 0].unique().tolist()
    # Two strokes, the pen lifted between them, around the middle.
    assert (picture[14] == 0).all()
    assert min(rows) < 14 < max(rows)
    assert abs(min(rows) + max(rows) - 27) <= 1


def test_y_goes_up() -> None:
    (picture,) = rendered(torch.tensor([[[0.0, 0, 0], [4, 4, 1]]]))[0]
    assert picture[3, 24] > 0.5 > picture[3, 3]
    assert picture[24, 3] > 0.5 > picture[24, 24]


def test_a_dot_and_nothing_can_be_drawn() -> None:
    dot, nothing = rendered(torch.tensor([[[0.0, 0.0, 1.0]], [[0.0, 0.0, -1.0]]]))
    assert 0 < dot.sum() < 10
    assert nothing.sum() == 0
    pictures = pictures_of(torch.zeros(2, 3, 3), torch.tensor([[2], [37]]))
    assert pictures.images.shape == (2, 1, 28, 28)
    assert pictures.labels.tolist() == [0, 35]


def test_strokes_belong_to_the_letter_that_was_looked_at() -> None:
    """A window that moves on by a character at each point: every stroke is the letter's where it begins."""
    torch.manual_seed(0)
    module = HandwritingSynthesis(**{**HandwritingSynthesis.small_arguments, "length": 9}).eval()
    with torch.no_grad():
        module.network.look.weight.zero_()
        module.network.look.bias[4:] = 0.0
        module.network.output.bias[0] = 1.0
    letters, numbers = letters_of(module, ["ABCDEFGHIJ"], torch.Generator().manual_seed(0))
    strokes = module.write(["ABCDEFGHIJ"], torch.Generator().manual_seed(0))[0]
    assert numbers.flatten().tolist() == list(range(2, 12))
    assert len(letters) == 10
    begins = [0, *((strokes[:-1, 2] > 0.5).nonzero().flatten() + 1).tolist()]
    ends = [*begins[1:], len(strokes)]
    # The first point is drawn before a look; the place of the n-th point is n, that of the character n - 1.
    owners = [max(0, begin - 1) for begin in begins]
    for place, letter in enumerate(letters):
        parts = [strokes[begin:end] for begin, end, owner in zip(begins, ends, owners, strict=True) if owner == place]
        count = sum(len(part) for part in parts)
        assert int((letter[:, 2] >= 0).sum()) == count
        if count:
            assert (letter[0, :2] == 0).all()
            within = parts[0][1:, :2]
            assert torch.allclose(letter[1 : len(parts[0]), :2], within, atol=1e-5)
