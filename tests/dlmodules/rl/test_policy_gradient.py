"""What all agents with a policy share: spaces that fit, bounds, resuming, statistics, checkpoints."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dlmodules.errors import UserError
from dlmodules.protocols import Acts
from dlmodules.rl.a2c import A2C
from dlmodules.rl.actor_critic import ActorCritic, QActorCritic
from dlmodules.rl.orthogonal import OrthogonalMLP
from dlmodules.rl.policies import CategoricalPolicy, GaussianPolicy
from dlmodules.rl.ppo import PPO
from dlmodules.rl.reinforce import REINFORCE, REINFORCEBaseline
from tests.dlmodules.rl.agent_runs import agent, data, trainer
from tests.dlmodules.rl.known_environments import register
from tests.dlmodules.rl.test_dqn_resume import SaveAt, assert_same, everything

register()

AGENTS: dict[type, dict[str, Any]] = {
    A2C: {},
    PPO: {"epochs": 2, "minibatches": 2},
    REINFORCE: {"discount_start": True, "episodes_per_update": 2},
    REINFORCEBaseline: {},
    ActorCritic: {"discount_start": True},
    QActorCritic: {},
}
# Those for rows of numbers too.
BOX = [cls for cls in AGENTS if cls is not QActorCritic]
every_agent = pytest.mark.parametrize("cls", AGENTS, ids=lambda cls: cls.__name__)
PENDULUM: dict[str, Any] = {"observation_dim": 3, "action_dim": 1}
NORMALIZED: dict[str, Any] = {"normalize_observations": True, "normalize_rewards": True}


@every_agent
@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_it_learns_which_arm_pays(cls: type, vectorization: str) -> None:
    adam = lambda parameters: torch.optim.Adam(parameters, lr=0.05)  # noqa: E731
    critic = {} if cls is REINFORCE else {"critic": OneHot(2 if cls is QActorCritic else 1)}
    module = agent(cls=cls, observation_dim=1, policy=CategoricalPolicy(network=OneHot(2)), optimizer=adam, **critic)
    bandit = data(env_id="Bandit-v0", num_envs=8, total_steps=1_600, vectorization=vectorization)
    trainer(limit_val_batches=0).fit(module, bandit)
    assert module(torch.zeros(1, dtype=torch.int64)).probs[0, 1] > 0.9


class OneHot(nn.Embedding):
    def __init__(self, outputs: int) -> None:
        super().__init__(1, outputs)
        nn.init.zeros_(self.weight)


@pytest.mark.parametrize(
    ("cls", "continuous"),
    [*((cls, False) for cls in AGENTS), *((cls, True) for cls in BOX)],
    ids=lambda value: value.__name__ if isinstance(value, type) else ("numbered", "box")[value],
)
def test_resuming_continues_the_unbroken_run(cls: type, continuous: bool, tmp_path: Path) -> None:
    arguments = {**AGENTS[cls], **NORMALIZED, **(PENDULUM if continuous else {})}
    env = {"env_id": "Pendulum-v1"} if continuous else {}
    path = tmp_path / "cut.ckpt"
    unbroken = trainer(callbacks=[SaveAt(path, 13, "train_batch")])
    module, environments = agent(cls=cls, **arguments), data(**env)
    unbroken.fit(module, environments)
    resumed, new_module, new_environments = trainer(), agent(seed=5, cls=cls, **arguments), data(**env)
    resumed.fit(new_module, new_environments, ckpt_path=path, weights_only=True)
    assert_same(everything(unbroken, module, environments), everything(resumed, new_module, new_environments))
    loaded: Any = cls.load_from_checkpoint(path, weights_only=True)  # type: ignore[attr-defined]
    observation = torch.randn(9, 3 if continuous else 4)
    assert int(loaded.observation_normalizer.count) == 13 * 32
    if continuous:
        assert (float(loaded.policy.low), float(loaded.policy.high)) == (-2, 2)
        assert loaded.act(100 * observation).abs().max() <= 2


@every_agent
def test_the_same_seed_gives_the_same_run(cls: type) -> None:
    weights = []
    for _ in range(2):
        module = agent(cls=cls, seed=3, **AGENTS[cls])
        trainer(limit_val_batches=0).fit(module, data(total_steps=256))
        weights.append(module.state_dict())
    assert_same(*weights)


@pytest.mark.parametrize("cls", BOX, ids=lambda cls: cls.__name__)
def test_the_environment_is_given_what_its_bounds_hold_and_the_agent_keeps_what_it_sampled(cls: type) -> None:
    raw: list[Tensor] = []
    given: list[Tensor] = []

    class Watched(cls):  # type: ignore[misc,valid-type]  # a class that is a parameter
        def to_env(self, action: Tensor) -> Tensor:
            given.append(super().to_env(action))
            return given[-1]

        def observe(self, transition: Any) -> None:
            raw.append(transition.action)
            super().observe(transition)

    wide = GaussianPolicy(3, 1, (8,), log_deviation=1.5)
    module = agent(cls=Watched, **AGENTS[cls], **PENDULUM, policy=wide)
    trainer(limit_val_batches=0).fit(module, data(env_id="Pendulum-v1", total_steps=128))
    assert torch.cat(given).abs().max() == 2
    assert torch.cat(raw).abs().max() > 2
    assert torch.equal(torch.cat(raw).clamp(-2, 2), torch.cat(given))


@pytest.mark.parametrize("cls", [A2C, REINFORCEBaseline], ids=lambda cls: cls.__name__)
@pytest.mark.parametrize(
    ("arguments", "env_id", "message"),
    [
        ({"observation_dim": 3}, "Pendulum-v1", "policy chooses among numbered ones: set action_dim=1"),
        ({"action_dim": 1}, "CartPole-v1", "actions are numbered, .* leave action_dim out and set num_actions=2"),
        ({"num_actions": 3}, "CartPole-v1", r"of shape \(3,\), not \(2,\): set num_actions=2"),
        ({"observation_dim": 3, "action_dim": 2}, "Pendulum-v1", "have 2 numbers, and .* 1: set action_dim=1"),
        ({"observation_dim": 8}, "CartPole-v1", r"does not take observations of shape \(4,\) \(set observation_dim=4"),
        ({**NORMALIZED, "observation_dim": 8}, "CartPole-v1", r"shape \(4,\) \(set observation_dim=4"),
        ({}, "FrozenLake-v1", "observations that are numbers"),
        ({}, "Dials-v0", "this agent needs discrete ones"),
        ({"critic": OrthogonalMLP(4, 2)}, "CartPole-v1", r"the critic gives values of shape \(2,\), not \(1,\)"),
        (
            {"observation_dim": 3, "policy": GaussianPolicy(3, 1, deviation="softplus", network=OrthogonalMLP(3, 1))},
            "Pendulum-v1",
            r"policy's network gives values of shape \(1,\), not \(2,\)",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(cls: type, arguments: Any, env_id: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        trainer().fit(agent(cls=cls, **arguments), data(env_id=env_id))


@pytest.mark.parametrize("cls", BOX, ids=lambda cls: cls.__name__)
def test_a_loss_that_is_no_number_stops_the_run(cls: type) -> None:
    sgd = lambda parameters: torch.optim.SGD(parameters, lr=1e30)  # noqa: E731
    module = agent(cls=cls, **AGENTS[cls], **PENDULUM, optimizer=sgd, max_grad_norm=None)
    with pytest.raises(UserError, match=r"train/loss is (nan|inf|-inf) at step|no finite numbers any more"):
        trainer(limit_val_batches=0).fit(module, data(env_id="Pendulum-v1", total_steps=3_200))


@every_agent
def test_it_acts_and_keeps_its_arguments(cls: type) -> None:
    module = agent(cls=cls)
    assert isinstance(module, Acts)
    assert module.act(module.example_batch(5)).shape == (5,)
    assert module.hparams["hidden_dims"] == [16]
    if cls in BOX:
        assert agent(cls=cls, **PENDULUM).act(torch.zeros(5, 3)).shape == (5, 1)


@every_agent
def test_the_activation_is_that_of_all_default_networks(cls: type) -> None:
    def activations(module: Any) -> set[type]:
        return {type(layer) for layer in module.modules()} & {torch.nn.Tanh, torch.nn.ReLU}

    assert activations(agent(cls=cls)) == {torch.nn.Tanh}
    assert activations(agent(cls=cls, activation="relu")) == {torch.nn.ReLU}
    if cls in BOX:
        assert activations(agent(cls=cls, **PENDULUM, activation="relu")) == {torch.nn.ReLU}


def test_actions_that_are_no_numbers_stop_the_run() -> None:
    policy = GaussianPolicy(3, 1, (8,))
    torch.nn.init.constant_(policy.log_deviations, torch.nan)
    with pytest.raises(UserError, match="the policy's actions are no finite numbers any more"):
        trainer(limit_val_batches=0).fit(agent(cls=A2C, **PENDULUM, policy=policy), data(env_id="Pendulum-v1"))
