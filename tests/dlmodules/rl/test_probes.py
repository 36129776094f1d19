"""Every agent that learns values, on probes so small that each shows one mistake; a run takes about a second."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch

from dlmodules.checkpoints.hparams import constructor_arguments
from dlmodules.rl.dqn import DQN
from dlmodules.rl.evolution.population import PopulationAgent
from dlmodules.rl.exploration import Epsilon
from dlmodules.rl.imitation.cloning import BehaviouralCloning
from dlmodules.rl.n_step_dqn import NStepDQN
from dlmodules.rl.policy_gradient import PolicyGradientAgent
from dlmodules.rl.random_agent import RandomAgent
from dlmodules.rl.search.self_play import SelfPlayAgent
from dlmodules.rl.semi_gradient import SemiGradientAgent
from dlmodules.rl.semi_gradient_td import SemiGradientTD
from dlmodules.rl.tabular.base import TabularAgent
from dlmodules.rl.tabular.planner import Planner
from dlmodules.rl.tabular.prediction import Prediction
from dlmodules.rl.tile_coding import LinearValues
from dlmodules_cli.systems import systems
from tests.dlmodules.rl import probe_environments
from tests.dlmodules.rl.agent_runs import agent, data, trainer
from tests.dlmodules.rl.probe_environments import Five, Numbered

probe_environments.register()

pytestmark = pytest.mark.learning

# A new agent is among them by itself. Planners take no step, and the random agent learns nothing. What a policy is
# worth changes with it: test_policy_probes.py has those. Populations and who clones learn no values, and games are no
# environments.
OTHERS = (BehaviouralCloning, Planner, PolicyGradientAgent, PopulationAgent, RandomAgent, SelfPlayAgent)
AGENTS = [system.module for system in systems() if system.family == "rl" and not issubclass(system.module, OTHERS)]


def adam(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=1e-2)


def slower(optimizer: Any) -> Any:
    return torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, total_iters=60)


# Half of the actions are random; what an agent does not take is left out.
ARGUMENTS: dict[str, Any] = {
    "observation_dim": Five.states,
    "num_states": Five.states,
    "num_actions": 2,
    "gamma": 0.8,
    "hidden_dims": (32,),
    "optimizer": adam,
    "scheduler": slower,
    "batch_size": 32,
    "exploration": Epsilon(0.5),
    "learning_rate": 0.2,
    "steps_per_iteration": 32,
    "updates_per_iteration": 8,
    "learning_starts": 32,
    "target_update_interval": 4,
    "epsilon_start": 1.0,
    "epsilon_end": 0.5,
    "minibatches": 2,
}


def values(cls: Any, total_steps: int = 2_000) -> dict[str, float]:
    """Return what an agent takes the states of ``Five`` to be worth after a run."""
    is_table = issubclass(cls, (TabularAgent, Prediction))
    taken = {name: value for name, value in ARGUMENTS.items() if name in constructor_arguments(cls)}
    if issubclass(cls, SemiGradientAgent):
        outputs = 1 if issubclass(cls, SemiGradientTD) else 2
        taken |= {"network": LinearValues(Five.states, outputs), "optimizer": partial(torch.optim.SGD, lr=0.5)}
    module = agent(cls=cls, **taken)
    run = {"env_id": "ProbeFive-v0", "wrappers": [Numbered] if is_table else [], "total_steps": total_steps}
    trainer(limit_val_batches=0).fit(module, data(steps_per_epoch=total_steps, **run))
    module.eval()
    states = torch.arange(Five.states) if is_table else torch.eye(Five.states)
    with torch.no_grad():
        found: Sequence[float] = (module.v if isinstance(module, Prediction) else module(states).amax(1)).tolist()
    if not isinstance(module, (Prediction, SemiGradientTD)):
        assert module.act(states[[Five.names.index("choice")]]).tolist() == [1]
    return dict(zip(Five.names, found, strict=True))


@pytest.mark.parametrize("cls", AGENTS, ids=lambda cls: cls.__name__)
def test_each_state_has_its_value(cls: Any) -> None:
    found = values(cls)
    expected = {"constant": 1.0, "first": 0.8, "second": 1.0}
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=0.1)
    assert (found["bad"], found["good"]) == pytest.approx((-1.0, 1.0), abs=0.15)
    if issubclass(cls, (Prediction, SemiGradientTD)):  # of both actions
        assert found["choice"] == pytest.approx(0.0, abs=0.4)
    else:
        assert found["choice"] == pytest.approx(1.0, abs=0.15)
    # 1 / (1 - 0.8) = 5. If the limit of 10 steps ended it, it were 1 / (1 - 0.8 * 0.9) = 3.6, or the 4.5 of all ten,
    # as where it does end.
    assert found["cut"] == pytest.approx(5.0, abs=0.4)
    assert found["over"] < found["cut"] - 0.4


@pytest.mark.parametrize("cls", [DQN, NStepDQN], ids=lambda cls: cls.__name__)
def test_without_the_time_limit_s_bootstrap_would_be_seen(cls: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault that the test above is for, seen once: what is truncated taken for terminated."""
    td_error = DQN.td_error

    def merged(module: Any, batch: Any) -> Any:
        return td_error(module, replace(batch, terminated=batch.ended))

    monkeypatch.setattr(DQN, "td_error", merged)
    found = values(cls)
    assert found["cut"] < 4.4  # 3.57, and noise
    assert found["second"] == pytest.approx(1.0, abs=0.1)
