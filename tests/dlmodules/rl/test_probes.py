"""Every agent that learns values on environments so small that each shows one mistake; a run takes about a second."""

from typing import Any

import pytest
import torch

from dlmodules.rl.c51 import C51
from dlmodules.rl.double_dqn import DoubleDQN
from dlmodules.rl.dqn import DQN
from dlmodules.rl.dueling_dqn import DuelingDQN
from dlmodules.rl.n_step_dqn import NStepDQN
from dlmodules.rl.noisy_dqn import NoisyDQN
from dlmodules.rl.pqn import PQN
from dlmodules.rl.prioritized_dqn import PrioritizedDQN
from dlmodules.rl.rainbow import Rainbow
from tests.dlmodules.rl import known_environments, probe_environments
from tests.dlmodules.rl.agent_runs import agent, data, trainer

known_environments.register()
probe_environments.register()

pytestmark = pytest.mark.learning

AGENTS: dict[str, Any] = {
    cls.__name__: cls for cls in (DQN, DoubleDQN, DuelingDQN, PrioritizedDQN, NStepDQN, NoisyDQN, C51, Rainbow, PQN)
}
every_agent = pytest.mark.parametrize("name", AGENTS)


def learnt(name: str, probe: str, states: int, gamma: float, v_max: float, total_steps: int = 1_000) -> Any:
    """Return an agent of that name after a run with many random actions in it."""
    own = {"C51": {"v_min": -v_max, "v_max": v_max}, "PQN": {"epochs": 4, "minibatches": 2}}
    own["Rainbow"] = own["C51"]
    learnt_by = (
        {} if name == "PQN" else {"updates_per_iteration": 8, "learning_starts": 32, "target_update_interval": 4}
    )
    exploring = {} if name in ("NoisyDQN", "Rainbow") else {"epsilon_start": 1.0, "epsilon_end": 0.5}
    module = agent(
        cls=AGENTS[name],
        observation_dim=states,
        gamma=gamma,
        optimizer=lambda p: torch.optim.Adam(p, lr=1e-2),
        **{"hidden_dims": (32,), "steps_per_iteration": 32, **learnt_by, **exploring, **own.get(name, {})},
    )
    trainer().fit(module, data(env_id=probe, total_steps=total_steps, steps_per_epoch=total_steps, eval_episodes=1))
    return module.eval()


def best_values(module: Any, states: int) -> list[float]:
    with torch.no_grad():
        found: list[float] = module(torch.eye(states)).amax(dim=1).tolist()
    return found


@every_agent
def test_a_constant_reward(name: str) -> None:
    assert best_values(learnt(name, "ProbeConstantReward-v0", 1, 0.5, 2.0), 1) == pytest.approx([1.0], abs=0.1)


@every_agent
def test_a_value_that_the_observation_tells(name: str) -> None:
    module = learnt(name, "ProbeValueByObservation-v0", 2, 0.5, 2.0)
    assert best_values(module, 2) == pytest.approx([-1.0, 1.0], abs=0.15)


@every_agent
def test_a_reward_that_comes_a_step_later_is_discounted(name: str) -> None:
    module = learnt(name, "ProbeTwoSteps-v0", 2, 0.5, 2.0)
    assert best_values(module, 2) == pytest.approx([0.5, 1.0], abs=0.1)


@every_agent
def test_the_action_that_pays_is_chosen(name: str) -> None:
    module = learnt(name, "ProbeRightAction-v0", 1, 0.5, 2.0)
    assert module.act(torch.ones(1, 1)).tolist() == [1]
    assert best_values(module, 1) == pytest.approx([1.0], abs=0.15)


@every_agent
def test_a_time_limit_does_not_end_the_value(name: str) -> None:
    module = learnt(name, "Treadmill-v0", 3, 0.8, 10.0, total_steps=2_000)
    # 1 / (1 - 0.8) = 5. If the limit of 10 steps ended it, it were 1 / (1 - 0.8 * 0.9) = 3.6.
    assert module(torch.ones(1, 3)).amax().item() == pytest.approx(5.0, abs=0.3)


def test_n_step_without_the_time_limit_s_bootstrap_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault that the test above is for, seen once: what is truncated taken for terminated."""
    from dlmodules.rl import dqn

    td_error = dqn.DQN.td_error

    def merged(module: Any, batch: Any) -> Any:
        from dataclasses import replace

        return td_error(module, replace(batch, terminated=batch.ended))

    monkeypatch.setattr(dqn.DQN, "td_error", merged)
    for name in ("DQN", "NStepDQN"):
        module = learnt(name, "Treadmill-v0", 3, 0.8, 10.0, total_steps=2_000)
        assert module(torch.ones(1, 3)).mean().item() < 4.4  # 3.57, and noise
