"""Each variant of DQN on the environment that asks for what it adds, beside plain DQN at the same settings."""

from typing import Any

import pytest
import torch
from torch import Tensor

from dlmodules.rl.c51 import C51
from dlmodules.rl.double_dqn import DoubleDQN
from dlmodules.rl.dqn import DQN
from dlmodules.rl.n_step_dqn import NStepDQN
from dlmodules.rl.noisy_dqn import NoisyDQN
from dlmodules.rl.prioritized_dqn import PrioritizedDQN
from dlmodules.rl.rainbow import Rainbow
from tests.dlmodules.rl.agent_runs import agent, data, trainer
from tests.dlmodules.rl.probe_environments import Chain, register

register()

pytestmark = pytest.mark.learning


def run(
    cls: type[DQN],
    probe: str,
    states: int,
    seed: int = 0,
    total_steps: int = 600,
    budget: int = 100_000,
    **arguments: Any,
) -> Any:
    settings = {
        "hidden_dims": (),  # a table: a weight and a bias for each action
        "optimizer": lambda p: torch.optim.SGD(p, lr=0.1),
        "learning_starts": 64,
        "epsilon_start": 1.0,
        "epsilon_end": 1.0,
        "target_update_interval": 4,
    }
    if issubclass(cls, NoisyDQN):
        settings = {name: value for name, value in settings.items() if not name.startswith("epsilon")}
    module = agent(seed, cls, observation_dim=states, **{**settings, **arguments})
    environment = data(env_id=probe, total_steps=budget, steps_per_epoch=budget, eval_episodes=1, seed=seed)
    trainer(limit_val_batches=0, max_steps=total_steps // 32).fit(module, environment)
    return module.eval()


def value(module: Any, state: int, states: int) -> Tensor:
    with torch.no_grad():
        found: Tensor = module(torch.eye(states)[[state]])[0]
    return found


def test_double_overestimates_less_where_rewards_are_noisy() -> None:
    def overestimate(cls: type[DQN]) -> float:
        # The true value is -0.1. Large steps keep the estimates noisy, and the two networks are far apart.
        arguments = {"num_actions": 8, "gamma": 1.0, "buffer_capacity": 5_000, "target_update_interval": 32}
        arguments |= {"optimizer": lambda p: torch.optim.SGD(p, lr=2.0), "updates_per_iteration": 8}
        runs = [run(cls, "ProbeNoisyReward-v0", 2, seed, 1_920, **arguments) for seed in range(5)]
        return sum(value(module, 0, 2).mean().item() for module in runs) / len(runs) + 0.1

    plain, double = overestimate(DQN), overestimate(DoubleDQN)
    assert plain > 0.1
    assert abs(double) < 0.6 * plain


def test_several_steps_carry_a_delayed_reward_back_sooner() -> None:
    def at_the_start(cls: type[DQN], **arguments: Any) -> float:
        return value(run(cls, "ProbeDelayed-v0", 10, total_steps=192, gamma=0.9, **arguments), 0, 10).mean().item()

    plain, steps = at_the_start(DQN), at_the_start(NStepDQN, n=10)
    true = 0.9**9
    assert abs(steps - true) < 0.5 * abs(plain - true)


def test_priorities_learn_a_rare_reward_sooner() -> None:
    def miss(cls: type[DQN]) -> float:
        settings = {"optimizer": lambda p: torch.optim.Adam(p, lr=0.05), "buffer_capacity": 5_000}
        settings["updates_per_iteration"] = 8
        runs = [run(cls, "ProbeRare-v0", 2, seed, 960, **settings) for seed in range(4)]
        return sum(abs(10 - value(module, 1, 2).max().item()) for module in runs) / len(runs)

    plain, prioritized = miss(DQN), miss(PrioritizedDQN)
    assert prioritized < 0.7 * plain


def test_noise_finds_the_end_of_a_chain_that_greed_does_not() -> None:
    def found(**arguments: Any) -> int:
        settings = {
            "hidden_dims": (32,),
            "optimizer": lambda p: torch.optim.Adam(p, lr=3e-3),
            "gamma": 0.9,
            "buffer_capacity": 2_000,
        }
        runs = [run(NoisyDQN, "ProbeChain-v0", 5, seed, 1_600, **settings, **arguments) for seed in range(3)]
        return sum(bool(module.act(torch.eye(5)).tolist() == list(Chain.right)) for module in runs)

    without, noisy = found(sigma=0.0), found()
    assert without == 0
    assert noisy >= 2  # of 3


@pytest.mark.parametrize("cls", [C51, Rainbow])
def test_a_distribution_tells_two_returns_from_their_mean(cls: type[DQN]) -> None:
    arguments = {"v_min": -2.0, "v_max": 2.0, "num_atoms": 21, "optimizer": lambda p: torch.optim.Adam(p, lr=0.03)}
    module = run(cls, "ProbeTwoValued-v0", 1, hidden_dims=(8,), total_steps=1_000, **arguments)
    plain = run(DQN, "ProbeTwoValued-v0", 1, total_steps=1_000, optimizer=lambda p: torch.optim.SGD(p, lr=0.02))
    for mean in (value(module, 0, 1), value(plain, 0, 1)):
        assert mean.abs().max() < 0.35  # all that a value can tell
    probability = module.distribution(torch.ones(1, 1))[0, int(module.act(torch.ones(1, 1)))]
    low, high = (probability[place - 1 : place + 2].sum().item() for place in (5, 15))
    assert 0.3 < low < 0.7
    assert 0.3 < high < 0.7
    assert low + high > 0.85
