"""A2C's update against what it is by definition, and what it refuses."""

from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor

from dlmodules.errors import UserError
from dlmodules.rl.a2c import A2C, explained_variance, standardized
from dlmodules.rl.rollouts import Rollout
from tests.dlmodules.rl.agent_runs import agent, data, trainer


def rollout(steps: int = 7, envs: int = 3, seed: int = 0) -> Rollout:
    """Steps some of which terminate and some of which a limit cuts."""
    generator = torch.Generator().manual_seed(seed)
    ends = torch.rand(steps, envs, generator=generator)
    return Rollout(
        torch.randn(steps * envs, 4, generator=generator),
        torch.randint(2, (steps * envs,), generator=generator),
        torch.randn(steps * envs, 4, generator=generator),
        torch.randn(steps, envs, generator=generator),
        ends < 0.2,
        ends > 0.8,
    )


def advantages_by_definition(
    given: Rollout, value: Tensor, next_value: Tensor, gamma: float, lambda_: float
) -> list[list[float]]:
    """Return the sums of the errors of the critic, each step's added up from there to the end of its episode."""
    found = []
    for t in range(len(given.reward)):
        row = []
        for i in range(given.reward.shape[1]):
            total = 0.0
            for k in range(t, len(given.reward)):
                beyond = 0.0 if given.terminated[k, i] else gamma * float(next_value[k, i])
                error = float(given.reward[k, i]) + beyond - float(value[k, i])
                total += (gamma * lambda_) ** (k - t) * error
                if given.terminated[k, i] or given.truncated[k, i]:
                    break
            row.append(total)
        found.append(row)
    return found


@pytest.mark.parametrize("lambda_", [0.0, 0.7, 1.0])
def test_advantages_are_the_sums_of_errors_where_episodes_end_in_both_ways(lambda_: float) -> None:
    module = A2C(gamma=0.9, lambda_=lambda_).double()
    given = Rollout(*(part.double() if part.is_floating_point() else part for part in rollout()))
    assert given.terminated.any()
    assert given.truncated.any()
    value = module.critic_values(given.observation).detach()
    next_value = module.critic_values(given.next_observation).detach()
    expected = advantages_by_definition(given, value.view(7, 3), next_value.view(7, 3), 0.9, lambda_)
    found = module.advantages(given, value).view(7, 3)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=1e-12, atol=1e-12)


def test_the_gradient_is_that_of_the_three_terms() -> None:
    """By finite differences of the objective with the advantages held: the policy's, the critic's, the entropy's."""
    losses: list[Tensor] = []

    class Watched(A2C):
        def update(self, loss: Tensor) -> None:
            losses.append(loss)

    pl.seed_everything(0, verbose=False)
    module, given = Watched(gamma=0.9, lambda_=0.8, value_coefficient=0.25, entropy_coefficient=0.1), rollout()
    module.update_from(given)
    with torch.no_grad():
        value = module.critic_values(given.observation)
        advantage = module.advantages(given, value)
        probability = module.policy(given.observation).probs
    chosen = probability.gather(1, given.action[:, None])[:, 0]
    entropy = -(probability * probability.log()).sum(1)
    expected = -(advantage * chosen.log()).mean() + 0.25 * advantage.square().mean() - 0.1 * entropy.mean()
    torch.testing.assert_close(losses[0].detach(), expected)
    gradient = torch.autograd.grad(losses[0], module.critic.layers[-1].bias)[0]
    torch.testing.assert_close(gradient, -0.5 * advantage.mean().unsqueeze(0))  # the target stands still


def test_an_update_has_so_many_steps_of_each_environment() -> None:
    sizes: list[tuple[int, ...]] = []

    class Watched(A2C):
        def update_from(self, rollout: Rollout) -> Tensor:
            sizes.append(tuple(rollout.reward.shape))
            return super().update_from(rollout)

    module = agent(cls=Watched, n_steps=5, steps_per_iteration=48)
    trainer(limit_val_batches=0).fit(module, data(total_steps=96))
    assert sizes == [(5, 4), (5, 4), (2, 4)] * 2
    assert module.kept_steps == 0


def test_standardized_advantages() -> None:
    found = standardized(torch.tensor([1.0, 2.0, 6.0]))
    assert (found.mean().item(), found.std().item()) == pytest.approx((0.0, 1.0), abs=1e-6)
    assert standardized(torch.tensor([3.0])).tolist() == [3.0]


def test_explained_variance() -> None:
    target = torch.tensor([1.0, 2.0, 6.0])
    assert explained_variance(target + 5, target).item() == pytest.approx(1.0)
    assert explained_variance(torch.zeros(3), target).item() == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_steps": 0}, "n_steps is 0"),
        ({"lambda_": 1.5}, r"lambda_ is 1.5; it must lie in \[0, 1\]"),
        ({"entropy_coefficient": -1.0}, "entropy_coefficient is -1.0"),
        ({"value_coefficient": 0.0}, "value_coefficient is 0.0"),
        ({"reward_scale": 0.0}, "reward_scale is 0.0"),
        ({"gamma": 2.0}, "gamma is 2.0"),
    ],
)
def test_bad_numbers_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        A2C(**arguments)
