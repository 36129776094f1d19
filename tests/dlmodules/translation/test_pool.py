"""The pool of older translations: what it keeps, what it gives, and that it resumes."""

import torch
from torch import Tensor

from dlmodules.translation import ImagePool


def numbered(first: int, n: int) -> Tensor:
    return torch.arange(first, first + n).float()[:, None, None, None]


def test_it_gives_all_as_they_are_until_it_is_full() -> None:
    pool = ImagePool((1, 1, 1), size=5)
    assert torch.equal(pool(numbered(0, 3)), numbered(0, 3))
    assert int(pool.count) == 3
    assert torch.equal(pool(numbered(3, 2)), numbered(3, 2))
    assert pool.images.flatten().tolist() == [0, 1, 2, 3, 4]
    assert torch.equal(ImagePool((1, 1, 1), size=0)(numbered(0, 3)), numbered(0, 3))


def test_then_half_of_them_are_older_ones_whose_place_they_take() -> None:
    pool = ImagePool((1, 1, 1), size=50)
    pool(numbered(0, 50))
    given, kept_before, newest, ages = 0, set(range(50)), 50, []
    for _ in range(400):
        (image,) = pool(numbered(newest, 1)).flatten().tolist()
        kept = set(pool.images.flatten().int().tolist())
        if image == newest:
            given += 1
            assert kept == kept_before
        else:
            assert image in kept_before  # one of the pool, and the newest is there in its place
            assert kept == (kept_before - {int(image)}) | {newest}
            ages.append(newest - image)
        kept_before, newest = kept, newest + 1
    assert 170 < given < 230  # 200, and a deviation of 10
    assert max(ages) > 100


def test_its_state_is_its_images_and_its_draws() -> None:
    pool = ImagePool((1, 1, 1), size=4, seed=3)
    pool(numbered(0, 6))
    other = ImagePool((1, 1, 1), size=4)
    other.load_state_dict(pool.state_dict())
    for first in (6, 16):
        before = torch.get_rng_state()
        assert torch.equal(pool(numbered(first, 10)), other(numbered(first, 10)))
        assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(pool(numbered(26, 10)), ImagePool((1, 1, 1), size=4)(numbered(26, 10)))


def test_no_gradient_goes_through_it() -> None:
    images = torch.rand(3, 1, 2, 2, requires_grad=True)
    assert not ImagePool((1, 2, 2), size=2)(images).requires_grad
