"""Agents that remember their episode play by fixed slots, each with its own row of the state."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from callbacks.episodes.episode_video import film
from dlmodules.protocols import Acts, ActsWithMemory, Memory, Transition
from dlmodules.rl.base import Agent
from dlmodules.rl.evaluation import play_episodes, play_episodes_with_memory
from dlmodules_cli.main import main
from tests.dlmodules.rl.agent_runs import agent, data, trainer
from tests.dlmodules.rl.known_environments import Recall, register

register()


class Remembers(Agent):
    """Names what its episode showed first. Where nothing was shown yet, it knows nothing."""

    NOTHING = -1

    def __init__(self) -> None:
        super().__init__(steps_per_iteration=8)
        self.layer = torch.nn.Linear(1, 1)
        self.batches: set[int] = set()

    def initial_state(self, n: int) -> Memory:
        return {"first": torch.full((n,), self.NOTHING), "steps": torch.zeros(n, 2, 3)}

    def act(self, observation: Tensor, state: Memory) -> tuple[Tensor, Memory]:
        self.batches.add(len(observation))
        is_new = state["first"] == self.NOTHING
        assert torch.equal(is_new, state["steps"][:, 0, 0] == 0)
        assert (observation[is_new] < 2).all(), "a slot lost its state in the middle of an episode"
        first = torch.where(is_new, observation, state["first"])
        return first, {"first": first, "steps": state["steps"] + 1}

    def explore(self, observation: Tensor) -> Tensor:
        return torch.zeros(len(observation), dtype=torch.int64)

    def observe(self, transition: Transition) -> None:
        pass

    def learn(self) -> dict[str, Tensor]:
        return {}

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def lengths_of(seeds: list[int]) -> list[int]:
    lengths = []
    for seed in seeds:
        env = Recall()
        env.reset(seed=seed)
        lengths.append(env.left)
    return lengths


@pytest.mark.parametrize("slots", [1, 3, 16, 30])
def test_every_step_of_every_episode_is_right(slots: int) -> None:
    seeds = list(range(20))
    module = Remembers()
    envs = [Recall() for _ in range(slots)]
    returns, lengths = play_episodes_with_memory(module, envs, seeds)
    assert returns.tolist() == lengths.tolist() == lengths_of(seeds)
    assert module.batches == {min(slots, 20)}  # no row is ever taken away


def test_without_a_memory_the_first_observation_is_lost() -> None:
    def act(observation: Tensor) -> Tensor:
        return observation % 2

    returns, lengths = play_episodes(act, [Recall() for _ in range(3)], list(range(20)))
    assert returns.sum() < 0.9 * lengths.sum()


def test_agents_are_told_apart() -> None:
    assert isinstance(Remembers(), ActsWithMemory)
    assert isinstance(agent(), Acts)
    assert not isinstance(agent(), ActsWithMemory)


def test_it_is_evaluated_and_filmed(tmp_path: Path) -> None:
    module, recall, run = Remembers(), data(env_id="Recall-v0", total_steps=32, test_episodes=30), trainer()
    run.fit(module, recall)
    result = run.test(module, recall, verbose=False)[0]
    assert result["test/return"] == result["test/episode_length"] > 3
    films = film(module, recall, episodes=4, seed=0)
    assert [total for _, _, total in films] == lengths_of([0, 1, 2, 3])
    assert all(len(frames) == total + 1 for frames, _, total in films)
    run.save_checkpoint(tmp_path / "end.ckpt")


def test_the_command_plays_it(tmp_path: Path) -> None:
    run = trainer()
    run.fit(RemembersByConfiguration(), data(env_id="Recall-v0", total_steps=32))
    run.save_checkpoint(tmp_path / "end.ckpt")
    main(["sample", "--ckpt_path", str(tmp_path / "end.ckpt"), "--output", str(tmp_path / "out"), "--num", "3"])
    assert np.load(tmp_path / "out" / "samples.npz")["samples"].tolist() == lengths_of([0, 1, 2])
    assert len(list((tmp_path / "out").glob("*.gif"))) == 3


class RemembersByConfiguration(Remembers):
    """The same, rebuilt from a checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.save_hyperparameters({"_class_path": f"{__name__}.RemembersByConfiguration"})
