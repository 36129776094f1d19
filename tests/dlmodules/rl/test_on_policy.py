"""An agent that learns from what it did just now reads back what it said about its actions."""

from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from dlmodules.protocols import Transition
from dlmodules.rl.base import Agent
from tests.dlmodules.rl.agent_runs import data, trainer
from tests.dlmodules.rl.known_environments import register

register()


class Reinforce(Agent):
    """Raise the probability of actions by how much more they paid than the mean (Williams 1992)."""

    def __init__(self) -> None:
        super().__init__(steps_per_iteration=32)
        self.logits = nn.Embedding(1, 2)
        nn.init.zeros_(self.logits.weight)
        self.seen: list[Transition] = []

    def explore(self, observation: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        policy = torch.distributions.Categorical(logits=self.logits(observation))
        action = torch.multinomial(policy.probs, 1, generator=self.generator).squeeze(1)
        return action, {"log_prob": policy.log_prob(action)}

    def act(self, observation: Tensor) -> Tensor:
        return self.logits(observation).argmax(dim=1)

    def observe(self, transition: Transition) -> None:
        self.seen.append(transition)

    def learn(self) -> dict[str, Tensor]:
        seen, self.seen = self.seen, []
        reward = torch.cat([transition.reward for transition in seen])
        action = torch.cat([transition.action for transition in seen])
        said = torch.cat([transition.info["log_prob"] for transition in seen])
        observation = torch.cat([transition.observation for transition in seen])
        log_prob = torch.distributions.Categorical(logits=self.logits(observation)).log_prob(action)
        torch.testing.assert_close(log_prob, said)
        assert not said.requires_grad
        loss = -((reward - reward.mean()) * log_prob).mean()
        self.descend(loss, self.logits, self.optimizer_at(0))
        return {"policy_loss": loss.detach()}

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=2.0)


@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_it_learns_which_arm_pays(vectorization: str) -> None:
    pl.seed_everything(0, verbose=False)
    module, run = Reinforce(), trainer()
    bandit = data(env_id="Bandit-v0", num_envs=8, total_steps=1600, test_episodes=50, vectorization=vectorization)
    run.fit(module, bandit)
    probability = module.logits.weight.softmax(dim=1)[0, 1].item()
    assert probability > 0.9
    assert run.test(module, bandit, verbose=False)[0]["test/return"] > 0.8


def test_an_action_alone_leaves_the_info_empty() -> None:
    class Silent(Reinforce):
        def explore(self, observation: Tensor) -> Tensor:
            return super().explore(observation)[0]

        def learn(self) -> dict[str, Tensor]:
            assert all(transition.info == {} for transition in self.seen)
            return {}

    module = Silent()
    trainer().fit(module, data(env_id="Bandit-v0", total_steps=64))
    assert module.seen
