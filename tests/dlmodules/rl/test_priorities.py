import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.rl.priorities import Priorities, importance_weights


def with_priorities(values: torch.Tensor, alpha: float = 1.0) -> Priorities:
    priorities = Priorities(len(values), alpha)
    priorities.update(torch.arange(len(values)), values)
    return priorities


@pytest.mark.parametrize("capacity", [3, 1_000, 65_536])
def test_places_are_drawn_in_proportion(capacity: int) -> None:
    generator = torch.Generator().manual_seed(capacity)
    values = torch.rand(capacity, generator=generator, dtype=torch.float64) + 0.05
    values[capacity // 2] = 0.0
    priorities = with_priorities(values, alpha=0.6)
    n = 40 * capacity
    places, probabilities = priorities.sample(n, generator)
    expected = values**0.6 / (values**0.6).sum()
    torch.testing.assert_close(probabilities, expected[places])
    counts = places.bincount(minlength=capacity).double()
    assert counts[capacity // 2] == 0
    drawn = expected > 0
    chi_square = ((counts - n * expected)[drawn] ** 2 / (n * expected[drawn])).sum().item()
    freedom = int(drawn.sum()) - 1
    assert abs(chi_square - freedom) < 4 * (2 * freedom) ** 0.5  # of that mean and variance


@pytest.mark.parametrize("zero", [[0], [0, 1, 2], [4], [3, 4], [0, 2, 4], [1, 2, 3]])
def test_what_has_no_priority_is_never_drawn(zero: list[int]) -> None:
    values = torch.full((5,), 1e-9)
    values[zero] = 0.0
    places, _ = with_priorities(values).sample(5_000, torch.Generator().manual_seed(0))
    assert set(places.tolist()) == set(range(5)) - set(zero)


def test_the_largest_number_finds_the_last_place(monkeypatch: pytest.MonkeyPatch) -> None:
    priorities = with_priorities(torch.tensor([0.1, 0.2, 0.3, 0.0]))
    monkeypatch.setattr(torch, "rand", lambda n, **_: torch.ones(n, dtype=torch.float64))
    assert priorities.sample(1)[0].tolist() == [2]


def test_a_new_place_has_the_largest_priority_that_there_has_been() -> None:
    priorities = Priorities(4, alpha=1.0)
    priorities.add(torch.tensor([0, 1]))
    priorities.update(torch.tensor([0]), torch.tensor([5.0]))
    priorities.update(torch.tensor([0]), torch.tensor([0.5]))
    priorities.add(torch.tensor([2]))
    places, probabilities = priorities.sample(100, torch.Generator().manual_seed(0))
    assert dict(zip(places.tolist(), probabilities.tolist(), strict=True)) == {0: 0.5 / 6.5, 1: 1 / 6.5, 2: 5 / 6.5}


def test_a_place_that_is_written_again_loses_its_priority() -> None:
    priorities = with_priorities(torch.tensor([0.0, 0.0, 3.0]))
    priorities.add(torch.tensor([0]))
    priorities.update(torch.tensor([2]), torch.tensor([0.0]))
    assert priorities.sample(20)[0].unique().tolist() == [0]


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_alpha_0_draws_uniformly(alpha: float) -> None:
    _, probabilities = with_priorities(torch.tensor([1.0, 3.0]), alpha).sample(50, torch.Generator().manual_seed(0))
    assert set(probabilities.tolist()) == ({0.5} if alpha == 0 else {0.25, 0.75})


def test_state_is_restored_to_the_bit_and_the_same_generator_draws_the_same() -> None:
    priorities = Priorities(1_000)
    priorities.add(torch.arange(300))
    priorities.update(torch.arange(0, 300, 3), torch.linspace(0.1, 9, 100))
    state = priorities.state_dict()
    twin = Priorities(1_000)
    twin.load_state_dict(state)
    assert len(state["scaled"]) == 300
    assert twin.largest == priorities.largest == 9.0
    for first, second in zip(
        *(p.sample(64, torch.Generator().manual_seed(3)) for p in (priorities, twin)), strict=True
    ):
        assert torch.equal(first, second)
    with pytest.raises(UserError, match="priorities of 300 transitions, more than 200"):
        Priorities(200).load_state_dict(state)


def test_importance_weights_undo_the_draw() -> None:
    values = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)
    priorities = with_priorities(values)
    places, probabilities = priorities.sample(60_000, torch.Generator().manual_seed(0))
    weights = importance_weights(probabilities, size=3, beta=1.0)
    assert weights.dtype == torch.float32
    assert weights.max() == 1.0
    # The weighted mean of any quantity is its uniform mean.
    quantity = torch.tensor([10.0, -1.0, 3.0])
    assert (weights * quantity[places]).sum() / weights.sum() == pytest.approx(4.0, abs=0.1)
    assert importance_weights(probabilities, 3, 0.0).unique().tolist() == [1.0]
    half = importance_weights(torch.tensor([0.25, 1.0]), 4, 0.5)
    torch.testing.assert_close(half, torch.tensor([1.0, 0.5]))
