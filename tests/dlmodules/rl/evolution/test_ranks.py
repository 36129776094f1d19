import torch

from dlmodules.rl.evolution.ranks import centered_ranks


def test_ranks_by_hand() -> None:
    assert centered_ranks(torch.tensor([10.0, -3.0, 4.0])).tolist() == [0.5, -0.5, 0.0]
    assert centered_ranks(torch.tensor([5.0, 5.0])).tolist() == [0.0, 0.0]
    # Places 0, 1 and 2 of 4 are equal: each has 1, a sixth below the middle.
    found = centered_ranks(torch.tensor([1.0, 9.0, 1.0, 1.0]))
    torch.testing.assert_close(found, torch.tensor([-1 / 6, 0.5, -1 / 6, -1 / 6], dtype=torch.float64))


def test_only_the_order_counts_and_the_sum_is_nothing() -> None:
    fitness = torch.randn(20, generator=torch.Generator().manual_seed(0))
    assert torch.equal(centered_ranks(fitness), centered_ranks(fitness.exp()))
    assert centered_ranks(fitness).sum().abs() < 1e-12
    assert centered_ranks(torch.full((6,), 500.0)).abs().max() == 0
