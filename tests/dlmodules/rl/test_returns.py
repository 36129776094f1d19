import pytest
import torch
from torch import Tensor

from dlmodules.rl.returns import gae, lambda_return, n_step, q_lambda, td_target


def test_td_target_bootstraps_unless_terminated() -> None:
    target = td_target(
        reward=torch.tensor([1.0, 1.0, -2.0]),
        terminated=torch.tensor([False, True, True]),
        next_value=torch.tensor([10.0, 10.0, float("inf")]),
        gamma=0.9,
    )
    # The value after a terminal state counts nothing, not even when it is infinite.
    torch.testing.assert_close(target, torch.tensor([10.0, 1.0, -2.0]))


def test_each_transition_may_have_its_own_discount() -> None:
    reward, next_value = torch.ones(2), torch.full((2,), 10.0)
    target = td_target(reward, torch.tensor([False, False]), next_value, torch.tensor([0.5, 0.1]))
    torch.testing.assert_close(target, torch.tensor([6.0, 2.0]))


# Three steps of one episode that then terminates, or is cut: rewards 1, 2, 4, and what follows each is worth 8.
CHAIN = {"reward": torch.tensor([[1.0], [2.0], [4.0]]), "next_value": torch.full((3, 1), 8.0), "gamma": 0.5}
NEVER, LAST = torch.zeros(3, 1, dtype=torch.bool), torch.tensor([[False], [False], [True]])


@pytest.mark.parametrize(
    ("terminated", "truncated", "expected"),
    [(NEVER, NEVER, [4.0, 6.0, 8.0]), (NEVER, LAST, [4.0, 6.0, 8.0]), (LAST, NEVER, [4.0, 4.0, 4.0])],
)
def test_two_steps_by_hand(terminated: Tensor, truncated: Tensor, expected: list[float]) -> None:
    # From the first: 1 + 2/2 + 8/4. From the second: 2 + 4/2 + 8/4, or no 8 where it has terminated.
    target = n_step(terminated=terminated, truncated=truncated, n=2, **CHAIN)
    assert target.flatten().tolist() == expected


def test_lambda_return_by_hand() -> None:
    target = lambda_return(terminated=LAST, truncated=NEVER, lambda_=0.5, **CHAIN)
    # Third: 4. Second: 2 + (8 + 4)/2/2 = 5. First: 1 + (8 + 5)/2/2 = 4.25.
    assert target.flatten().tolist() == [4.25, 5.0, 4.0]
    cut = lambda_return(terminated=NEVER, truncated=LAST, lambda_=0.5, **CHAIN)
    assert cut.flatten().tolist() == [1 + (8 + 6) / 4, 2 + (8 + 8) / 4, 8.0]


def stream(seed: int = 0, steps: int = 23, envs: int = 4) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    ends = torch.rand(steps, envs, generator=generator)
    return {
        "reward": torch.randn(steps, envs, generator=generator, dtype=torch.float64),
        "terminated": ends < 0.1,
        "truncated": ends > 0.85,
        "next_value": torch.randn(steps, envs, generator=generator, dtype=torch.float64),
    }


def naive_n_step(s: dict[str, Tensor], gamma: float, n: int) -> Tensor:
    steps, envs = s["reward"].shape
    found = torch.zeros(steps, envs, dtype=torch.float64)
    for i in range(envs):
        for t in range(steps):
            total, last = 0.0, t
            for k in range(n):
                last = t + k
                total += gamma**k * float(s["reward"][last, i])
                if s["terminated"][last, i] or s["truncated"][last, i] or last == steps - 1:
                    break
            if not s["terminated"][last, i]:
                total += gamma ** (last - t + 1) * float(s["next_value"][last, i])
            found[t, i] = total
    return found


@pytest.mark.parametrize("n", [1, 2, 3, 10, 40])
def test_n_step_is_the_naive_loop(n: int) -> None:
    torch.testing.assert_close(n_step(**stream(n), gamma=0.9, n=n), naive_n_step(stream(n), 0.9, n))


@pytest.mark.parametrize("lambda_", [0.0, 0.3, 0.95, 1.0])
def test_lambda_return_is_the_mean_of_all_n_step_returns(lambda_: float) -> None:
    s = stream(5)
    steps, envs = s["reward"].shape
    returns = [naive_n_step(s, 0.9, n) for n in range(1, steps + 1)]
    ended = s["terminated"] | s["truncated"]
    ended[-1] = True
    expected = torch.zeros(steps, envs, dtype=torch.float64)
    for i in range(envs):
        for t in range(steps):
            left = int(ended[t:, i].nonzero()[0]) + 1  # from so many steps on all returns are the same
            weights = [(1 - lambda_) * lambda_ ** (n - 1) for n in range(1, left)] + [lambda_ ** (left - 1)]
            expected[t, i] = sum(w * float(returns[n][t, i]) for n, w in enumerate(weights))
    torch.testing.assert_close(lambda_return(**s, gamma=0.9, lambda_=lambda_), expected)


def test_advantages_are_lambda_returns_less_the_values_that_agree_along_an_episode() -> None:
    s = stream(7)
    value = torch.randn(s["reward"].shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    running = ~(s["terminated"] | s["truncated"])[:-1]
    s["next_value"][:-1] = torch.where(running, value[1:], s["next_value"][:-1])
    expected = lambda_return(**s, gamma=0.9, lambda_=0.8) - value
    torch.testing.assert_close(gae(**s, value=value, gamma=0.9, lambda_=0.8), expected)


def test_q_lambda_bootstraps_from_the_best_action() -> None:
    s = stream(3)
    best = s.pop("next_value")
    next_values = torch.stack([best - 1, best, best - 0.5], dim=-1)
    expected = lambda_return(**s, next_value=best, gamma=0.9, lambda_=0.65)
    torch.testing.assert_close(q_lambda(**s, next_values=next_values, gamma=0.9, lambda_=0.65), expected)


def test_what_is_given_is_not_changed() -> None:
    s = stream(2)
    before = {name: tensor.clone() for name, tensor in s.items()}
    n_step(**s, gamma=0.9, n=3)
    lambda_return(**s, gamma=0.9, lambda_=0.5)
    gae(**s, value=s["next_value"], gamma=0.9, lambda_=0.5)
    assert all(torch.equal(s[name], before[name]) for name in s)
