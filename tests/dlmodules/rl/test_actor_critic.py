"""Actor-critic's updates by hand."""

from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor

from dlmodules.errors import UserError
from dlmodules.protocols import Transition
from dlmodules.rl.actor_critic import ActorCritic, QActorCritic
from tests.dlmodules.rl.agent_runs import agent, data, trainer


def step() -> Transition:
    """Two environments that go on, one that terminates, one that is cut."""
    generator = torch.Generator().manual_seed(0)
    return Transition(
        observation=torch.randn(4, 4, generator=generator),
        action=torch.tensor([0, 1, 0, 1]),
        reward=torch.tensor([1.0, 2.0, 3.0, 4.0]),
        next_observation=torch.randn(4, 4, generator=generator),
        terminated=torch.tensor([False, False, True, False]),
        truncated=torch.tensor([False, False, False, True]),
    )


def watched(cls: Any, **arguments: Any) -> tuple[Any, list[Tensor]]:
    pl.seed_everything(0, verbose=False)
    module, losses = cls(**arguments), []
    module.update = losses.append
    return module, losses


def test_the_error_of_the_critic_weights_what_was_done() -> None:
    module, losses = watched(ActorCritic, gamma=0.5, value_coefficient=2.0, entropy_coefficient=0.1)
    given, factor = step(), torch.tensor([1.0, 0.5, 0.25, 1.0])
    module.update_from(given, factor)
    with torch.no_grad():
        value, beyond = module.critic(given.observation)[:, 0], module.critic(given.next_observation)[:, 0]
        beyond[2] = 0.0
        error = given.reward + 0.5 * beyond - value
        log_prob = module.policy(given.observation).probs.gather(1, given.action[:, None])[:, 0].log()
        entropy = module.policy(given.observation).entropy().mean()
    expected = -(factor * error * log_prob).mean() + 2 * error.square().mean() - 0.1 * entropy
    torch.testing.assert_close(losses[0].detach(), expected)
    # Up the gradient of the value where it was too low: the book's update has the sign of the other way.
    gradient = torch.autograd.grad(losses[0], module.critic.layers[-1].bias)[0]
    torch.testing.assert_close(gradient, -4 * error.mean().unsqueeze(0))


def test_the_value_of_the_action_weights_it_and_moves_to_that_of_the_next_one() -> None:
    module, losses = watched(QActorCritic, gamma=0.5, value_coefficient=2.0)
    given, next_action = step(), torch.tensor([1, 1, 0, 0])
    module.update_from(given, next_action)
    with torch.no_grad():
        values, next_values = module.critic(given.observation), module.critic(given.next_observation)
        value = torch.stack([values[row, action] for row, action in enumerate(given.action)])
        beyond = torch.stack([next_values[row, action] for row, action in enumerate(next_action)])
        beyond[2] = 0.0
        error = given.reward + 0.5 * beyond - value
        log_prob = module.policy(given.observation).probs.gather(1, given.action[:, None])[:, 0].log()
    expected = -(value * log_prob).mean() + 2 * error.square().mean()
    torch.testing.assert_close(losses[0].detach(), expected)


def test_without_the_mean_the_weights_of_all_actions_cancel() -> None:
    module, losses = watched(QActorCritic, subtract_mean=True)
    given = step()
    total: Any = 0.0
    probability = module.policy(given.observation).probs.detach()
    for action in (0, 1):
        done = Transition(**{**vars(given), "action": torch.full((4,), action)})
        values = module.critic(given.observation).detach()
        module.update_from(done, torch.zeros(4, dtype=torch.int64))
        total = total + probability[:, action] * (values[:, action] - (probability * values).sum(1))
    torch.testing.assert_close(total, torch.zeros(4), atol=1e-6, rtol=0)
    assert len(losses) == 2


def test_the_action_that_was_reckoned_with_is_done_next() -> None:
    reckoned: list[Tensor] = []
    done: list[Tensor] = []

    class Watched(QActorCritic):
        def update_from(self, step: Transition, next_action: Tensor) -> Tensor:
            done.append(step.action)
            reckoned.append(torch.where(step.ended, -1, next_action))
            return super().update_from(step, next_action)

    trainer(limit_val_batches=0).fit(agent(cls=Watched), data(total_steps=320))
    for before, after in zip(reckoned, done[1:], strict=False):
        assert torch.equal(before[before >= 0], after[before >= 0])
    assert any((before < 0).any() for before in reckoned)


def test_steps_are_weighted_by_their_place_in_the_episode() -> None:
    factors: list[Tensor] = []
    ends: list[Tensor] = []

    class Watched(ActorCritic):
        def update_from(self, step: Transition, factor: Tensor) -> Tensor:
            factors.append(factor)
            ends.append(step.ended)
            return super().update_from(step, factor)

    module = agent(cls=Watched, discount_start=True, gamma=0.5)
    trainer(limit_val_batches=0).fit(module, data(total_steps=160))
    age = torch.zeros(4)
    for factor, ended in zip(factors, ends, strict=True):
        assert torch.equal(factor, 0.5**age)
        age = torch.where(ended, 0.0, age + 1)


def test_values_of_actions_need_numbered_ones() -> None:
    with pytest.raises(UserError, match="chooses among numbered actions: leave action_dim out, or take ActorCritic"):
        trainer().fit(agent(cls=QActorCritic, observation_dim=3, action_dim=1), data(env_id="Pendulum-v1"))
