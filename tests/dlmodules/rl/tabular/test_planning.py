import pytest
import torch
from torch import Tensor

from dlmodules.errors import UserError
from dlmodules.protocols import Dynamics
from dlmodules.rl.tabular.planning import (
    action_values,
    deterministic_policy,
    evaluation_sweep,
    exact_return,
    finite_horizon_value,
    greedy_policy,
    optimality_sweep,
    solve,
    synchronous_sweep,
)
from tests.dlmodules.rl.tabular.exact import PLANNED, dynamics, optimal, q_of, uniform, value_of

LEFT, RIGHT = 0, 1


def walk(max_steps: int | None = None) -> Dynamics:
    """Three states in a row, the last of them terminal: right goes on and pays 1, or 5 into the end; left costs 1.

    From the middle, right slips and stays one time in four.
    """
    probability = torch.tensor([[[1, 0], [1, 0]], [[1, 0], [0.75, 0.25]], [[1, 0], [1, 0]]], dtype=torch.float64)
    next_state = torch.tensor([[[0, 0], [1, 0]], [[0, 1], [2, 1]], [[2, 2], [2, 2]]])
    reward = torch.tensor([[[-1, 0], [1, 0]], [[-1, 0], [5, 0]], [[0, 0], [0, 0]]], dtype=torch.float64)
    terminated = torch.zeros(3, 2, 2, dtype=torch.bool)
    terminated[1, RIGHT, 0] = True
    terminated[2] = True
    return Dynamics(
        probability=probability,
        next_state=next_state,
        reward=reward,
        terminated=terminated,
        initial=torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64),
        max_steps=max_steps,
    )


def numbers(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_action_values_by_hand() -> None:
    q = action_values(walk(), numbers(2, 4, 100), gamma=0.5)
    # What the end is worth, 100, counts nowhere; the slip counts the middle's own value.
    expected = [[-1 + 1, 1 + 2], [-1 + 1, 0.75 * 5 + 0.25 * 2], [0, 0]]
    assert q.tolist() == expected


def test_a_sweep_sees_the_new_values_of_the_states_before() -> None:
    v, delta = evaluation_sweep(walk(), uniform(walk()), numbers(0, 0, 0), gamma=0.5)
    # First (-1 + 1) / 2 = 0, where (0, 0) is seen; then the middle: (-1 + 0.5 * 0 + 3.75) / 2.
    assert (v.tolist(), delta) == ([0, 1.375, 0], 1.375)
    again, delta = evaluation_sweep(walk(), uniform(walk()), v, gamma=0.5)
    first = (-1 + 0.5 * 0 + 1 + 0.5 * 1.375) / 2
    assert again.tolist() == [first, (-1 + 0.5 * first + 3.75 + 0.25 * 0.5 * 1.375) / 2, 0]
    assert delta == first
    assert v.tolist() == [0, 1.375, 0]  # what was given stays


def test_a_synchronous_sweep_sees_the_old_values() -> None:
    v, _ = synchronous_sweep(walk(), uniform(walk()), numbers(0, 1.375, 0), gamma=0.5)
    assert v.tolist() == [(-1 + 1 + 0.5 * 1.375) / 2, (-1 + 0.5 * 0 + 3.75 + 0.25 * 0.5 * 1.375) / 2, 0]


def test_an_optimality_sweep_takes_the_best() -> None:
    v, delta = optimality_sweep(walk(), numbers(0, 0, 0), gamma=0.5)
    assert (v.tolist(), delta) == ([1, 3.75, 0], 3.75)


def test_equally_good_actions_share_and_rounding_does_not_part_them() -> None:
    q = numbers(-15, -21, -21, -15 - 1e-13).reshape(1, 4)
    assert greedy_policy(q).tolist() == [[0.5, 0, 0, 0.5]]
    assert greedy_policy(numbers(1, 1 - 1e-6).reshape(1, 2)).tolist() == [[1, 0]]
    assert greedy_policy(numbers(1, 1 - 1e-6).reshape(1, 2), tie=1e-5).tolist() == [[0.5, 0.5]]


def test_solutions_by_hand() -> None:
    always = deterministic_policy(torch.tensor([RIGHT, RIGHT, RIGHT]), 2)
    middle = 3.75 / (1 - 0.25 * 0.5)
    torch.testing.assert_close(solve(walk(), always, 0.5), numbers(1 + 0.5 * middle, middle, 0))
    torch.testing.assert_close(solve(walk(), always, 1.0), numbers(6, 5, 0))


def test_a_policy_that_may_never_end_has_no_value_without_discount() -> None:
    never = deterministic_policy(torch.tensor([LEFT, RIGHT, LEFT]), 2)
    with pytest.raises(UserError, match="may go on for ever"):
        solve(walk(), never, 1.0)
    torch.testing.assert_close(solve(walk(), never, 0.9)[0], torch.tensor(-10.0, dtype=torch.float64))


def test_a_horizon_cuts_the_return() -> None:
    always = deterministic_policy(torch.tensor([RIGHT, RIGHT, RIGHT]), 2)
    assert finite_horizon_value(walk(), always, 1.0, 0).tolist() == [0, 0, 0]
    assert finite_horizon_value(walk(), always, 1.0, 1).tolist() == [1, 3.75, 0]
    assert finite_horizon_value(walk(), always, 1.0, 2).tolist() == [4.75, 3.75 + 0.25 * 3.75, 0]
    assert exact_return(walk(max_steps=2), always) == (4.75 + 3.75 * 1.25) / 2
    torch.testing.assert_close(exact_return(walk(), always), torch.tensor(5.5, dtype=torch.float64))


@pytest.mark.parametrize("name", PLANNED)
def test_linear_solve_and_sweeps_agree_with_another_implementation(name: str) -> None:
    env_id, gamma = PLANNED[name]
    found = dynamics(env_id)
    expected = value_of(found, uniform(found), gamma)
    v = solve(found, uniform(found), gamma)
    torch.testing.assert_close(v, expected, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(action_values(found, v, gamma), q_of(found, v, gamma), rtol=1e-9, atol=1e-9)
    for sweep in (evaluation_sweep, synchronous_sweep):  # the values of a policy stand still
        torch.testing.assert_close(sweep(found, uniform(found), v, gamma)[0], v, rtol=1e-9, atol=1e-9)
    best = optimal(found, gamma)
    torch.testing.assert_close(optimality_sweep(found, best, gamma)[0], best, rtol=1e-9, atol=1e-9)


def best_values(found: Dynamics, gamma: float) -> Tensor:
    v, delta = torch.zeros(found.num_states, dtype=torch.float64), 1.0
    while delta > 1e-12:
        v, delta = optimality_sweep(found, v, gamma)
    return v


def best_policy(found: Dynamics, gamma: float) -> Tensor:
    q = action_values(found, best_values(found, gamma), gamma)
    return deterministic_policy(greedy_policy(q).argmax(1), found.num_actions)


def test_the_best_way_over_the_slippery_lake_within_100_steps() -> None:
    """A policy that knows how many steps are left can do better than any that does not."""
    lake = dynamics("FrozenLake-v1")
    assert exact_return(lake, best_policy(lake, 0.99)) == pytest.approx(0.74016, abs=1e-5)
    assert exact_return(lake, best_policy(lake, 0.9)) == pytest.approx(0.72977, abs=1e-5)
    assert (lake.initial @ best_values(lake, 1.0)).item() == pytest.approx(14 / 17, abs=1e-6)  # without a limit
    v = torch.zeros(16, dtype=torch.float64)
    for _ in range(100):
        v = action_values(lake, v, 1.0).amax(1)
    assert v[0].item() == pytest.approx(0.74419, abs=1e-5)
    assert finite_horizon_value(lake, best_policy(lake, 1.0), 1.0, 5_000)[0].item() == pytest.approx(14 / 17, abs=1e-6)


@pytest.mark.parametrize(
    ("env_id", "best"),
    [("CliffWalking-v1", -13), ("Taxi-v4", 7.93), ("dlmodules/Maze-v0", 5), ("dlmodules/QWorld-v0", 100)],
)
def test_the_best_return_elsewhere(env_id: str, best: float) -> None:
    found = dynamics(env_id)
    assert exact_return(found, best_policy(found, 0.99)).item() == pytest.approx(best, abs=1e-9)


def test_without_discount_going_round_is_as_good_as_going_on() -> None:
    lake = dynamics("FrozenLake-v1", is_slippery=False)
    assert exact_return(lake, best_policy(lake, 0.99)) == 1
    assert exact_return(lake, best_policy(lake, 1.0)) == 0  # every step that keeps off the holes has the value 1


BOOK = [0, -14, -20, -22, -14, -18, -20, -20, -20, -20, -18, -14, -22, -20, -14, 0]


def test_the_books_grid_world() -> None:
    """Vasilev 8.4: its first two values, its table, and the sweeps that a change below 1e-4 takes."""
    grid = dynamics("dlmodules/GridWorld-v0")
    v, delta = evaluation_sweep(grid, uniform(grid), torch.zeros(16, dtype=torch.float64), 1.0)
    assert v[1:3].tolist() == [-1, -1.25]
    sweeps = 1
    while delta >= 1e-4:
        v, delta = evaluation_sweep(grid, uniform(grid), v, 1.0)
        sweeps += 1
    assert sweeps == 114
    torch.testing.assert_close(v, numbers(*BOOK), atol=2e-3, rtol=0)
    torch.testing.assert_close(solve(grid, uniform(grid), 1.0), numbers(*BOOK), atol=1e-9, rtol=0)


def test_the_books_improved_policy() -> None:
    """Vasilev 8.5: in its sixth cell up and left are worth -15, down and right -21."""
    grid = dynamics("dlmodules/GridWorld-v0")
    q = action_values(grid, solve(grid, uniform(grid), 1.0), 1.0)
    torch.testing.assert_close(q[5], numbers(-15, -21, -21, -15), atol=1e-9, rtol=0)
    assert greedy_policy(q)[5].tolist() == [0.5, 0, 0, 0.5]
