"""PPO's clipping, its old probabilities, and how often it goes through the steps."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from dlmodules.errors import UserError
from dlmodules.rl.ppo import PPO, clipped_loss
from tests.dlmodules.rl.agent_runs import agent, data, trainer
from tests.dlmodules.rl.test_a2c import advantages_by_definition, rollout


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "gradient"),
    [
        (1.5, 2.0, -2.4, 0.0),  # more probable, and rightly so: far enough
        (1.5, -2.0, 3.0, 2.0),  # more probable, and wrongly so: back
        (0.5, 2.0, -1.0, -2.0),  # less probable, and wrongly so: back
        (0.5, -2.0, 1.6, 0.0),  # less probable, and rightly so: far enough
        (1.1, 2.0, -2.2, -2.0),  # within the range
        (0.9, -2.0, 1.8, 2.0),
    ],
)
def test_the_clipped_loss_at_its_corners(ratio: float, advantage: float, loss: float, gradient: float) -> None:
    given = torch.tensor([ratio], requires_grad=True)
    found = clipped_loss(given, torch.tensor([advantage]), 0.2)
    assert found.item() == pytest.approx(loss)
    assert torch.autograd.grad(found, given)[0].item() == pytest.approx(gradient)


def test_what_was_done_is_judged_by_the_networks_that_did_it() -> None:
    module, given = PPO(gamma=0.9, lambda_=0.8), rollout()
    old_log_prob, value, advantage = module.judge(given, given.observation)
    probability = module.policy(given.observation).probs.gather(1, given.action[:, None])[:, 0]
    torch.testing.assert_close(old_log_prob.exp(), probability.detach())
    torch.testing.assert_close(value, module.critic(given.observation).detach()[:, 0])
    next_value = module.critic(given.next_observation).detach()
    expected = advantages_by_definition(given, value.view(7, 3), next_value.view(7, 3), 0.9, 0.8)
    torch.testing.assert_close(advantage, torch.tensor(expected).flatten(), rtol=1e-5, atol=1e-5)


def test_an_update_moves_the_probability_of_what_was_done() -> None:
    torch.manual_seed(0)
    module, given = PPO(normalize_advantages=False, entropy_coefficient=0.0), rollout()
    for parameter in module.policy.parameters():  # as initialized it does all actions nearly alike
        torch.nn.init.normal_(parameter)
    log_prob = module.policy(given.observation).log_prob(given.action)
    advantage, losses = torch.randn(len(log_prob)), []
    module.update = losses.append  # type: ignore[assignment]
    old = log_prob.detach() - math.log(1.1)
    policy_loss = module.update_from(given.observation, given.action, old, advantage, torch.zeros(len(old)))[0]
    torch.testing.assert_close(policy_loss, -1.1 * advantage.mean())
    parameters = list(module.policy.parameters())
    found = torch.autograd.grad(losses[0], parameters)
    expected = torch.autograd.grad(-(1.1 * advantage * log_prob).mean(), parameters)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(("total_steps", "rounds"), [(128, 2), (160, 3)])
def test_each_iteration_is_gone_through_so_often_and_then_forgotten(total_steps: int, rounds: int) -> None:
    seen: list[Tensor] = []
    ratios: list[Tensor] = []

    class Watched(PPO):
        def update_from(self, seen_: Tensor, action: Tensor, old_log_prob: Tensor, *others: Tensor) -> Tensor:
            seen.append(seen_)
            ratios.append((self.policy(seen_).log_prob(action) - old_log_prob).detach().exp())
            return super().update_from(seen_, action, old_log_prob, *others)

    module = agent(cls=Watched, steps_per_iteration=64, minibatches=4, epochs=3)
    trainer(limit_val_batches=0).fit(module, data(total_steps=total_steps))
    last = [16] * 12 if total_steps == 128 else [8] * 12  # the budget cuts the last iteration in half
    assert [len(part) for part in seen] == [16] * 12 * (rounds - 1) + last
    first, second = torch.cat(seen[:4]), torch.cat(seen[4:8])
    assert not torch.equal(first, second)  # in another order
    torch.testing.assert_close(first.sort(0).values, second.sort(0).values)
    torch.testing.assert_close(ratios[0], torch.ones(16), rtol=1e-5, atol=1e-5)  # before anything is learnt
    assert (ratios[11] - 1).abs().max() > 1e-4
    assert module.kept_steps == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"clip_range": 0.0}, "clip_range is 0.0"),
        ({"lambda_": -0.1}, "lambda_ is -0.1"),
    ],
)
def test_bad_numbers_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        PPO(**arguments)
