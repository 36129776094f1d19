"""REINFORCE by hand: whole episodes, returns, the book's example of a baseline, and what it does to the variance."""

from types import SimpleNamespace
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn.utils import parameters_to_vector

from datamodules.environments.environment import EnvironmentDataModule
from dlmodules.protocols import Transition
from dlmodules.rl.episodes import Episodes
from dlmodules.rl.reinforce import REINFORCE, REINFORCEBaseline
from dlmodules.rl.rollouts import Rollout
from tests.dlmodules.rl.agent_runs import agent, data, trainer


def episode(rewards: list[float], truncated: bool = False) -> Rollout:
    steps = len(rewards)
    observation = torch.arange(4.0 * steps).view(steps, 4) / 10
    last = torch.arange(steps)[:, None] == steps - 1
    action = torch.arange(steps) % 2
    return Rollout(
        observation, action, observation + 0.4, torch.tensor(rewards)[:, None], last & (not truncated), last & truncated
    )


def step(number: int, ends: list[bool], truncated: list[bool] | None = None) -> Transition:
    numbers = torch.tensor([10.0 * lane + number for lane in range(len(ends))])
    return Transition(
        observation=numbers[:, None],
        action=numbers.long(),
        reward=numbers,
        next_observation=numbers[:, None] + 1,
        terminated=torch.tensor(ends),
        truncated=torch.tensor(truncated or [False] * len(ends)),
    )


def test_episodes_are_put_together_from_steps_of_all_environments() -> None:
    kept = Episodes()
    kept.add(step(0, [False, False]))
    kept.add(step(1, [True, False]))
    kept.add(step(2, [False, False], [False, True]))
    first, second = kept.take()
    assert first.reward.tolist() == [[0.0], [1.0]]
    assert (first.action.tolist(), first.terminated.tolist()) == ([0, 1], [[False], [True]])
    assert (second.reward.tolist(), second.observation.tolist()) == ([[10.0], [11.0], [12.0]], [[10.0], [11.0], [12.0]])
    assert (second.truncated.tolist(), second.terminated.any()) == ([[False], [False], [True]], False)
    assert kept.take() == []
    state = kept.state_dict()
    assert len(state["steps"]["reward"]) == 1  # what nobody needs is forgotten
    other = Episodes()
    other.load_state_dict(state)
    for episodes in (kept, other):
        episodes.add(step(3, [True, True]))
        assert [found.reward.flatten().tolist() for found in episodes.take()] == [[2.0, 3.0], [13.0]]


@pytest.mark.parametrize("truncated", [False, True])
def test_returns_are_the_discounted_rewards_to_the_end(truncated: bool) -> None:
    module = REINFORCE(gamma=0.5)
    assert module.returns(episode([1.0, 2.0, 4.0], truncated)).tolist() == [3.0, 4.0, 4.0]
    assert module.discounts(episode([1.0, 2.0, 4.0])).tolist() == [1.0, 1.0, 1.0]
    assert REINFORCE(gamma=0.5, discount_start=True).discounts(episode([1.0] * 3)).tolist() == [1.0, 0.5, 0.25]


def test_a_cut_episode_s_return_goes_on_with_the_critic() -> None:
    module = REINFORCEBaseline(gamma=0.5)
    for truncated in (False, True):
        given = episode([1.0, 2.0, 4.0], truncated)
        value = module.critic(given.observation).detach().flatten()
        beyond = module.critic(given.next_observation).detach().flatten()[-1] if truncated else 0.0
        expected = torch.tensor([3.0, 4.0, 4.0]) + beyond * torch.tensor([0.125, 0.25, 0.5]) - value
        torch.testing.assert_close(module.advantages(given), expected)


class Slopes:
    """A policy of two steps the gradients of whose log-probabilities are 0.7 and 0.3."""

    def __init__(self) -> None:
        self.theta = torch.zeros(2, requires_grad=True)

    def __call__(self, observation: Tensor) -> Any:
        log_prob = self.theta * torch.tensor([0.7, 0.3])
        return SimpleNamespace(log_prob=lambda action: log_prob, entropy=lambda: torch.zeros(2))


@pytest.mark.parametrize(("baseline", "expected"), [(None, [140.0, 57.0]), (180.0, [14.0, 3.0])])
def test_the_book_s_example_of_a_baseline(baseline: float | None, expected: list[float]) -> None:
    """vasilev 9.8: of returns of 200 and 190 a baseline of 180 leaves 20 and 10."""
    losses: list[Tensor] = []
    module: Any = REINFORCE(gamma=0.0) if baseline is None else REINFORCEBaseline(gamma=0.0)
    module.update = losses.append
    del module.policy
    object.__setattr__(module, "policy", Slopes())
    if baseline is not None:
        module.critic_values = lambda seen: torch.full((len(seen),), baseline)
    module.update_from([episode([200.0, 190.0])])
    gradient = torch.autograd.grad(-2 * losses[0], module.policy.theta)[0]  # of the sum, not of the mean
    torch.testing.assert_close(gradient, torch.tensor(expected))


def episodes_of_a_fixed_policy(module: Any, count: int) -> list[Rollout]:
    envs = EnvironmentDataModule("CartPole-v1", num_envs=8, seed=1).train_envs
    kept = Episodes()
    while len(kept.ended) < count:
        kept.add(envs.step(module.explore(envs.observation)))
    return kept.take()


def variance_of_gradients(module: Any, episodes: list[Rollout]) -> tuple[Tensor, Tensor]:
    """Return the mean of the policy's gradient over episodes, and the sum of its variances."""
    losses: list[Tensor] = []
    module.update = losses.append
    gradients = []
    for one in episodes:
        module.update_from([one])
        parameters = list(module.policy.parameters())
        found = torch.autograd.grad(losses.pop() * len(one.reward), parameters)
        gradients.append(parameters_to_vector(found))
    stacked = torch.stack(gradients)
    return stacked.mean(0), stacked.var(0).sum()


def test_the_baseline_takes_more_than_half_of_the_gradient_s_variance_and_leaves_its_mean() -> None:
    pl.seed_everything(0, verbose=False)
    plain, with_baseline = REINFORCE(), REINFORCEBaseline(value_coefficient=1.0)
    with_baseline.policy.load_state_dict(plain.policy.state_dict())
    learnt_from = episodes_of_a_fixed_policy(plain, 300)
    states = torch.cat([one.observation for one in learnt_from])
    returns = torch.cat([plain.returns(one) for one in learnt_from])
    optimizer = torch.optim.Adam(with_baseline.critic.parameters(), lr=1e-2)
    for _ in range(200):
        optimizer.zero_grad()
        (with_baseline.critic(states)[:, 0] - returns).square().mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    others = episodes_of_a_fixed_policy(plain, 600)
    (mean, variance), (mean_with, variance_with) = (
        variance_of_gradients(module, others) for module in (plain, with_baseline)
    )
    assert variance_with < variance / 2
    apart = (mean - mean_with).square().sum()
    assert apart < 4 * (variance + variance_with) / len(others)  # no further than chance takes them


def test_an_update_comes_with_so_many_whole_episodes() -> None:
    found: list[int] = []

    class Watched(REINFORCE):
        def update_from(self, episodes: Any) -> Tensor:
            found.append(len(episodes))
            for one in episodes:
                ends = (one.terminated | one.truncated).flatten()
                assert ends[-1]
                assert not ends[:-1].any()
            return super().update_from(episodes)

    module = agent(cls=Watched, episodes_per_update=4)
    environments = data(num_envs=1, total_steps=800)
    trainer(limit_val_batches=0).fit(module, environments)
    assert set(found) == {4}
    assert sum(found) + len(module.episodes.ended) >= 20
