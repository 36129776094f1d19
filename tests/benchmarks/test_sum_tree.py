import numpy as np
import pytest

from benchmarks.instruments.sum_tree import SumTree


@pytest.mark.parametrize("capacity", [3, 1_000])
def test_the_tree_draws_in_proportion(capacity: int) -> None:
    rng = np.random.default_rng(capacity)
    priorities = rng.random(capacity)
    priorities[1] = 0.0
    tree = SumTree(capacity)
    tree.update(np.arange(capacity), np.ones(capacity))
    tree.update(np.arange(capacity), priorities)
    counts = np.bincount(tree.sample(200 * capacity, rng), minlength=capacity)
    assert len(counts) == capacity
    assert counts[1] == 0
    expected = 200 * capacity * priorities / priorities.sum()
    assert (abs(counts - expected) < 5 * np.sqrt(expected) + 1e-9).all()
