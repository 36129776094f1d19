from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from dlmodules.errors import UserError
from dlmodules.protocols import Transition
from dlmodules.rl.random_agent import RandomAgent
from tests.dlmodules.rl.agent_runs import data, trainer
from tests.dlmodules.rl.known_environments import register

register()


class Watched(RandomAgent):
    def __init__(self) -> None:
        super().__init__(steps_per_iteration=64)
        self.seen: list[Transition] = []

    def observe(self, transition: Transition) -> None:
        self.seen.append(transition)


def played(seed: int = 0, **arguments: Any) -> Watched:
    pl.seed_everything(seed, verbose=False)
    agent = Watched()
    trainer().fit(agent, data(**arguments))
    return agent


def actions(agent: Watched) -> torch.Tensor:
    return torch.cat([step.action for step in agent.seen])


def test_each_of_several_actions_is_done_as_often() -> None:
    counts = actions(played(env_id="FrozenLake-v1", total_steps=4_000)).bincount() / 4_000
    torch.testing.assert_close(counts, torch.full((4,), 0.25), rtol=0, atol=0.03)


def test_points_of_a_box_are_drawn_alike() -> None:
    found = actions(played(env_id="Pendulum-v1", total_steps=2_000))
    assert found.shape == (2_000, 1)
    assert found.dtype == torch.float32
    assert -2 <= found.min() < -1.9
    assert 1.9 < found.max() <= 2
    assert found.mean().abs() < 0.1


def test_same_seed_same_actions_other_seed_others() -> None:
    first, again, other = (actions(played(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_mean_return_is_that_of_all_episodes() -> None:
    agent = played(env_id="KnownCorridor-v0", num_envs=1, total_steps=1_500)
    envs = agent.trainer.datamodule.train_envs
    assert agent.episodes == envs.episodes > 100  # more than the stream remembers
    total = sum(float(step.reward) for step in agent.seen)
    assert float(agent.mean_return) == pytest.approx(total / envs.episodes, abs=0.01)
    pl.seed_everything(0)
    trainer().fit(agent, data(total_steps=64))
    assert agent.episodes < 10  # a new run counts anew


def test_evaluation_ends_the_same_way_again_and_changes_nothing() -> None:
    agent = played()
    before, run = agent.agent_state()["generator"], agent.trainer
    first, second = (run.test(agent, run.datamodule, verbose=False) for _ in range(2))
    assert first == second
    assert torch.equal(before, agent.generator.get_state())


def test_a_checkpoint_can_act(tmp_path: Any) -> None:
    agent = played(env_id="Pendulum-v1")
    agent.trainer.save_checkpoint(tmp_path / "end.ckpt")
    loaded = RandomAgent.load_from_checkpoint(tmp_path / "end.ckpt", weights_only=True)
    assert loaded.act(loaded.example_batch(3)).shape == (3, 1)
    assert loaded.example_batch(3).shape == (3, 3)


def test_other_actions_are_refused() -> None:
    with pytest.raises(UserError, match=r"of Discrete and of a bounded Box, not of MultiDiscrete"):
        trainer().fit(RandomAgent(), data(env_id="Dials-v0"))
