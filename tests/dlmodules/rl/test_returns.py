import pytest
import torch

from dlmodules.rl.returns import td_target
from dlmodules.training.annealing import exponential_schedule, linear_schedule


def test_td_target_bootstraps_unless_terminated() -> None:
    target = td_target(
        reward=torch.tensor([1.0, 1.0, -2.0]),
        terminated=torch.tensor([False, True, True]),
        next_value=torch.tensor([10.0, 10.0, float("inf")]),
        gamma=0.9,
    )
    # The value after a terminal state counts nothing, not even when it is infinite.
    torch.testing.assert_close(target, torch.tensor([10.0, 1.0, -2.0]))


def test_linear_schedule_reaches_its_end_and_stays() -> None:
    assert [linear_schedule(step, 1.0, 0.2, 4) for step in (0, 1, 2, 4, 100)] == pytest.approx([1, 0.8, 0.6, 0.2, 0.2])


def test_exponential_schedule_multiplies_by_the_books_factor() -> None:
    values = [exponential_schedule(episode, 0.9, 0.1, 1000) for episode in (0, 1, 500, 1000, 2000)]
    assert values == pytest.approx([0.9, 0.9 * 0.9978052, 0.3, 0.1, 0.1], rel=1e-6)


@pytest.mark.parametrize("schedule", [linear_schedule, exponential_schedule])
def test_a_schedule_of_no_duration_is_at_its_end(schedule) -> None:
    assert schedule(0, 0.9, 0.1, 0) == pytest.approx(0.1)
