"""What is stored once comes back exactly: for several environments, over the end, at an episode's end, resumed."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from dlmodules.errors import UserError
from dlmodules.rl.frames import FrameStore
from dlmodules.rl.observations import PairStore, make_store

CAPACITY = 53  # no multiple of the number of environments


def episodes(n: int, stacked: int, steps: int, seed: int, ends: float = 0.1) -> Iterator[tuple[Tensor, Tensor]]:
    """Observations ``(n, stacked, 3, 3)`` and what follows; a step ends an episode with probability ``ends``."""
    generator = torch.Generator().manual_seed(seed)

    def frame() -> Tensor:
        return torch.randint(256, (3, 3), dtype=torch.uint8, generator=generator)

    def first() -> Tensor:
        return frame().repeat(stacked, 1, 1)

    observation = torch.stack([first() for _ in range(n)])
    for _ in range(steps):
        after = torch.cat([observation[:, 1:], torch.stack([frame()[None] for _ in range(n)])], dim=1)
        yield observation, after
        ended = torch.rand(n, generator=generator) < ends
        observation = torch.stack([first() if over else seen for over, seen in zip(ended, after, strict=True)])


def frame_store(stacked: int, capacity: int = CAPACITY) -> FrameStore:
    return FrameStore(capacity, (stacked, 3, 3), torch.uint8, stacked)


def fill(stores: list[FrameStore | PairStore], number: int, steps: Iterator[tuple[Tensor, Tensor]]) -> int:
    """Put steps into all ``stores`` from place ``number`` on; return how many transitions they have got by now."""
    for observation, after in steps:
        places = torch.arange(number, number + len(observation)) % CAPACITY
        for store in stores:
            store.put(places, observation, after)
        number += len(observation)
    return number


def assert_same(frames: FrameStore, pairs: PairStore, size: int) -> None:
    places = torch.randint(size, (200,))
    for found, expected in zip(frames.get(places), pairs.get(places), strict=True):
        assert found.dtype == expected.dtype
        assert torch.equal(found, expected)


@pytest.mark.parametrize("n", [1, 3, 8, 53])
@pytest.mark.parametrize("stacked", [1, 4])
def test_it_gives_back_what_was_put_and_goes_on_after_a_resume(n: int, stacked: int) -> None:
    frames, pairs = frame_store(stacked), PairStore(CAPACITY, (stacked, 3, 3), torch.uint8)
    number = 0
    for part, steps in enumerate((2, 3, 30, 60)):
        number = fill([frames, pairs], number, episodes(n, stacked, steps, seed=part))
        size = min(number, CAPACITY)
        assert_same(frames, pairs, size)
        state = frames.state_dict(size)
        resumed = frame_store(stacked)
        resumed.load_state_dict(state, size)
        assert_same(resumed, pairs, size)
        assert resumed.num_frames == frames.num_frames
        both = list(episodes(n, stacked, 7, seed=100 + part))
        number = fill([frames, resumed, pairs], number, iter(both))
        size = min(number, CAPACITY)
        again, other = frames.state_dict(size), resumed.state_dict(size)
        assert again.keys() == other.keys()
        assert all(torch.equal(again[name], other[name]) for name in again)


def test_a_change_of_the_number_of_environments_changes_nothing() -> None:
    frames, pairs = frame_store(4), PairStore(CAPACITY, (4, 3, 3), torch.uint8)
    number = 0
    for part, n in enumerate((3, 5, 1, 4)):
        number = fill([frames, pairs], number, episodes(n, 4, 6, seed=part))
        assert_same(frames, pairs, min(number, CAPACITY))


@pytest.mark.parametrize("stacked", [1, 4])
def test_a_running_episode_adds_one_frame_a_step(stacked: int) -> None:
    store = frame_store(stacked, capacity=53)
    fill([store], 0, episodes(2, stacked, 20, seed=0, ends=0.0))
    assert store.num_frames == 2 * (20 + stacked)
    fill([store], 40, episodes(2, stacked, 500, seed=1, ends=0.0))
    # All 53 places and what follows the last two steps; the stacks reach back over what was overwritten.
    assert store.num_frames == 53 + 2 + 2 * (stacked - 1)
    pairs = PairStore(CAPACITY, (stacked, 3, 3), torch.uint8)
    stored = sum(value.nbytes for value in pairs.state_dict(CAPACITY).values())
    assert store.num_frames * 9 < 0.6 * stored / stacked


def test_it_grows_where_every_step_ends_an_episode_and_frees_what_is_overwritten() -> None:
    frames, pairs = frame_store(4), PairStore(CAPACITY, (4, 3, 3), torch.uint8)
    number = fill([frames, pairs], 0, episodes(3, 4, 300, seed=0, ends=1.0))
    assert number == 900
    assert_same(frames, pairs, CAPACITY)
    assert frames.num_frames <= CAPACITY * 5
    fill([frames, pairs], number, episodes(3, 4, 300, seed=1, ends=0.0))
    assert_same(frames, pairs, CAPACITY)
    assert frames.num_frames == CAPACITY + 3 + 3 * 3


def test_numbers_are_kept_to_the_bit() -> None:
    store = FrameStore(4, (2,), torch.float32)
    before, after = torch.tensor([[0.0, float("nan")]]), torch.tensor([[-0.0, float("nan")]])
    store.put(torch.tensor([0]), before, after)
    store.put(torch.tensor([1]), before, before)  # equal to what came before, but for the sign
    found = torch.cat(store.get(torch.tensor([0, 1]))).view(torch.int32)
    assert torch.equal(found, torch.cat([before, before, after, before]).view(torch.int32))
    assert store.num_frames == 4
    store.put(torch.tensor([2]), before, after)
    assert store.num_frames == 5  # the not-a-number is found again


def test_pairs_of_an_earlier_version_are_taken_over() -> None:
    frames, pairs = frame_store(4), PairStore(CAPACITY, (4, 3, 3), torch.uint8)
    number = fill([pairs], 0, episodes(3, 4, 10, seed=0))
    frames.load_state_dict(pairs.state_dict(number), number)
    assert_same(frames, pairs, number)
    number = fill([frames, pairs], number, episodes(3, 4, 40, seed=1))
    assert_same(frames, pairs, CAPACITY)


def test_other_observations_are_refused_in_one_line() -> None:
    store = frame_store(4)
    fill([store], 0, episodes(3, 4, 2, seed=0))
    state = store.state_dict(6)
    with pytest.raises(UserError, match=r"shape \(4, 3, 3\), not \(4, 5, 3\)"):
        FrameStore(CAPACITY, (4, 5, 3), torch.uint8, 4).load_state_dict(state, 6)
    whole = FrameStore(CAPACITY, (4, 3, 3), torch.uint8)
    with pytest.raises(UserError, match="stacks of 4 frames, not of 1: resume with the same wrappers"):
        whole.load_state_dict(state, 6)


def test_only_large_observations_are_looked_at() -> None:
    assert type(make_store(10, (4,), torch.float32, 1)) is PairStore
    assert type(make_store(10, (), torch.int64, 1)) is PairStore
    assert type(make_store(10, (4, 84, 84), torch.uint8, 4)) is FrameStore
