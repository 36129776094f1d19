from math import floor

import pytest
import torch
from torch import Tensor

from dlmodules.rl.distributional import project_distribution


def naive(probabilities: Tensor, reward: Tensor, terminated: Tensor, gamma: float, support: Tensor) -> Tensor:
    projected = torch.zeros_like(probabilities)
    step, last = float(support[1] - support[0]), len(support) - 1
    for row in range(len(probabilities)):
        for atom in range(len(support)):
            value = float(reward[row]) + (0.0 if terminated[row] else gamma * float(support[atom]))
            place = (min(max(value, float(support[0])), float(support[-1])) - float(support[0])) / step
            below = floor(place)
            if below == place:
                projected[row, below] += probabilities[row, atom]
            else:
                projected[row, below] += probabilities[row, atom] * (below + 1 - place)
                projected[row, min(below + 1, last)] += probabilities[row, atom] * (place - below)
    return projected


@pytest.mark.parametrize("atoms", [2, 3, 51])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99, 1.0])
def test_projection_is_the_naive_loop(atoms: int, gamma: float) -> None:
    generator = torch.Generator().manual_seed(atoms)
    support = torch.linspace(-10.0, 10.0, atoms, dtype=torch.float64)
    probabilities = torch.rand(60, atoms, generator=generator, dtype=torch.float64).softmax(1)
    reward = torch.cat([15 * torch.randn(40, generator=generator), torch.arange(-10.0, 10.0)]).double()
    terminated = torch.rand(60, generator=generator) < 0.3
    found = project_distribution(probabilities, reward, terminated, gamma, support)
    torch.testing.assert_close(found, naive(probabilities, reward, terminated, gamma, support))
    torch.testing.assert_close(found.sum(1), torch.ones(60, dtype=torch.float64))


SUPPORT = torch.tensor([-1.0, 0.0, 1.0, 2.0])


@pytest.mark.parametrize(
    ("reward", "expected"),
    [
        (-1.0, [1, 0, 0, 0]),  # the lower end
        (2.0, [0, 0, 0, 1]),  # the upper end
        (-5.0, [1, 0, 0, 0]),  # beyond both
        (7.0, [0, 0, 0, 1]),
        (1.0, [0, 0, 1, 0]),  # on the grid
        (0.25, [0, 0.75, 0.25, 0]),
        (1.75, [0, 0, 0.25, 0.75]),
    ],
)
def test_edges_by_hand(reward: float, expected: list[float]) -> None:
    probabilities = torch.tensor([[0.1, 0.2, 0.3, 0.4]])
    found = project_distribution(probabilities, torch.tensor([reward]), torch.tensor([True]), 0.9, SUPPORT)
    torch.testing.assert_close(found, torch.tensor([expected], dtype=torch.float32))


def test_nothing_moves_without_reward_and_discount() -> None:
    probabilities = torch.tensor([[0.1, 0.2, 0.3, 0.4]])
    found = project_distribution(probabilities, torch.zeros(1), torch.tensor([False]), 1.0, SUPPORT)
    torch.testing.assert_close(found, probabilities)


def test_the_mean_moves_as_a_value_does_and_each_row_has_its_own_discount() -> None:
    support = torch.linspace(-50.0, 50.0, 101)
    probabilities = torch.zeros(2, 101)
    probabilities[:, 54] = probabilities[:, 56] = 0.5  # 4 or 6
    discount = torch.tensor([0.9, 0.3])
    found = project_distribution(probabilities, torch.ones(2), torch.tensor([False, False]), discount, support)
    torch.testing.assert_close(found @ support, torch.tensor([5.5, 2.5]))
