from typing import Any

import pytest
import torch
from torch import Tensor

from dlmodules.errors import UserError
from dlmodules.protocols import Acts
from dlmodules.rl.pqn import PQN
from tests.dlmodules.rl.agent_runs import agent, data, trainer
from tests.dlmodules.rl.test_dqn import Table, batch


def test_targets_by_hand() -> None:
    module = PQN(network=Table([[1.0, 2.0], [3.0, 5.0]]), gamma=0.5, lambda_=0.5)
    first, last = batch(0, 0, 1.0, 1, False), batch(1, 0, 3.0, 0, True)
    # Last: 3, for it has terminated. First: 1 + (5 + 3) / 2 / 2, where 5 is the best value of state 1.
    assert module.targets([first, last]).tolist() == [[3.0], [3.0]]
    cut = batch(1, 0, 3.0, 0, False)  # bootstraps from state 0: 3 + 2 / 2, then 1 + (5 + 4) / 2 / 2
    assert module.targets([first, cut]).tolist() == [[3.25], [4.0]]


@pytest.mark.parametrize(("total_steps", "rounds"), [(128, 2), (160, 3)])
def test_each_iteration_is_gone_through_so_often_and_then_forgotten(total_steps: int, rounds: int) -> None:
    sizes: list[int] = []

    class Watched(PQN):
        def forward(self, observation: Tensor) -> Tensor:
            if torch.is_grad_enabled():
                sizes.append(len(observation))
            return super().forward(observation)

    module = agent(cls=Watched, steps_per_iteration=64, minibatches=4, epochs=3)
    trainer(limit_val_batches=0).fit(module, data(total_steps=total_steps))
    last = [16] * 12 if total_steps == 128 else [8] * 12  # the budget cuts the last iteration in half
    assert sizes == [16] * 12 * (rounds - 1) + last
    assert module._steps == []


def test_it_has_one_network_and_acts_by_it() -> None:
    module = PQN()
    assert isinstance(module, Acts)
    assert sum(p.numel() for p in module.parameters()) == 11_342
    assert module.small_arguments["hidden_dims"] == [16, 16]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"epochs": 0}, "epochs is 0"), ({"lambda_": 1.5}, r"lambda_ is 1.5; it must lie in \[0, 1\]")],
)
def test_bad_numbers_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        PQN(**arguments)


def test_actions_and_observations_must_fit() -> None:
    with pytest.raises(UserError, match="Pendulum-v1 has actions Box"):
        trainer().fit(agent(cls=PQN, observation_dim=3), data(env_id="Pendulum-v1"))
    with pytest.raises(UserError, match=r"does not take observations of shape \(4,\) \(set observation_dim=4"):
        trainer().fit(agent(cls=PQN, observation_dim=8), data())
    with pytest.raises(UserError, match="observations that are numbers"):
        trainer().fit(agent(cls=PQN, num_actions=4), data(env_id="FrozenLake-v1"))
