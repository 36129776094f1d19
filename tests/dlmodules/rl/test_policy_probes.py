"""Every agent with a policy, on probes so small that each shows one mistake; a run takes a few seconds."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from dlmodules.rl.a2c import A2C
from dlmodules.rl.actor_critic import ActorCritic, QActorCritic
from dlmodules.rl.policy_gradient import PolicyGradientAgent
from dlmodules.rl.ppo import PPO
from dlmodules.rl.reinforce import REINFORCE
from dlmodules.rl.returns import gae
from dlmodules_cli.systems import systems
from tests.dlmodules.rl import probe_environments
from tests.dlmodules.rl.agent_runs import agent, data, trainer
from tests.dlmodules.rl.probe_environments import Five

probe_environments.register()

pytestmark = pytest.mark.learning

# A new agent is among them by itself.
AGENTS = [
    system.module
    for system in systems()
    if system.family == "rl" and issubclass(system.module, PolicyGradientAgent) and system.module is not REINFORCE
]
ENTROPY = {"entropy_coefficient": 0.01}
ARGUMENTS: dict[Any, dict[str, Any]] = {
    PPO: {**ENTROPY, "steps_per_iteration": 64, "epochs": 4, "minibatches": 1},
    QActorCritic: {**ENTROPY, "subtract_mean": True},
}


def adam(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=1e-2)


def slower(optimizer: Any) -> Any:
    return torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, total_iters=60)


def learnt(cls: Any, total_steps: int = 4_000) -> Any:
    """Return an agent after a run in ``Five``."""
    module = agent(
        cls=cls,
        **{
            "observation_dim": Five.states,
            "gamma": 0.8,
            "hidden_dims": (32,),
            "optimizer": adam,
            "scheduler": slower,
            "steps_per_iteration": 64,
            **ENTROPY,
            **ARGUMENTS.get(cls, {}),
        },
    )
    environments = data(env_id="ProbeFive-v0", total_steps=total_steps, steps_per_epoch=total_steps)
    trainer(limit_val_batches=0).fit(module, environments)
    return module.eval()


def values(module: Any) -> dict[str, float]:
    """Return what an agent takes the states to be worth under its policy."""
    states = torch.eye(Five.states)
    with torch.no_grad():
        found = module.critic(states)
        if found.shape[1] > 1:
            found = (module(states).probs * found).sum(1, keepdim=True)
    return dict(zip(Five.names, found[:, 0].tolist(), strict=True))


@pytest.mark.parametrize("cls", AGENTS, ids=lambda cls: cls.__name__)
def test_each_state_has_its_value(cls: Any) -> None:
    module = learnt(cls)
    found = values(module)
    choice = torch.eye(Five.states)[[Five.names.index("choice")]]
    assert module(choice).probs[0, 1] > 0.9
    assert module.act(choice).tolist() == [1]
    expected = {"constant": 1.0, "first": 0.8, "second": 1.0}
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=0.15)
    assert (found["bad"], found["good"]) == pytest.approx((-1.0, 1.0), abs=0.2)
    assert found["choice"] == pytest.approx(1.0, abs=0.3)
    # 1 / (1 - 0.8) = 5. If the limit of 10 steps ended it, it were what it is where it does end.
    assert found["cut"] == pytest.approx(5.0, abs=0.2)
    assert found["over"] < found["cut"] - 0.25


def test_a_policy_without_values_learns_the_choice() -> None:
    module = learnt(REINFORCE, total_steps=6_000)
    choice = torch.eye(Five.states)[[Five.names.index("choice")]]
    assert module(choice).probs[0, 1] > 0.8


@pytest.mark.parametrize("cls", [A2C, ActorCritic], ids=lambda cls: cls.__name__)
def test_without_the_time_limit_s_bootstrap_would_be_seen(cls: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault that the test above is for, seen once: what is truncated taken for terminated."""

    def merged(reward: Any, terminated: Any, truncated: Any, *others: Any) -> Any:
        return gae(reward, terminated | truncated, truncated, *others)

    monkeypatch.setattr("dlmodules.rl.a2c.gae", merged)
    update_from = ActorCritic.update_from
    monkeypatch.setattr(
        ActorCritic,
        "update_from",
        lambda module, step, factor: update_from(module, replace(step, terminated=step.ended), factor),
    )
    found = values(learnt(cls))
    assert found["cut"] < 4.75
