import multiprocessing
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
import torch
from torch import Tensor

from datamodules.environments.lanes import EpisodeLanes, make_lanes
from datamodules.environments.making import make_env
from dlmodules import DQN
from dlmodules.errors import UserError
from dlmodules.rl.evolution.cmaes import CMAES
from tests.datamodules.environments.test_lanes import SEEDS, act, cartpole, one_after_another
from tests.dlmodules.rl.agent_runs import agent, data, trainer

Seen = list[tuple[Tensor, Tensor]]


def watched(lanes: EpisodeLanes, max_steps: int | None = None) -> tuple[Any, Seen]:
    """Return what came of the episodes, and all that who acts was shown."""
    seen: Seen = []

    def watching(observation: Tensor, episode: Tensor) -> Tensor:
        seen.append((observation.clone(), episode.clone()))
        return act(observation, episode)

    played = lanes.play(watching, SEEDS, max_steps)
    lanes.close()
    return played, seen


@pytest.mark.parametrize(("num_envs", "num_workers"), [(1, 1), (3, 2), (5, 2), (5, 3), (2, 7)])
def test_who_acts_sees_the_same_however_many_processes_there_are(num_envs: int, num_workers: int) -> None:
    played, seen = watched(make_lanes(cartpole, 0, num_envs, "sync", num_workers))
    assert (played.returns.tolist(), played.lengths.tolist()) == one_after_another()
    alone, wanted = watched(make_lanes(cartpole, 0, num_envs, "sync"))
    assert played.returns.tolist() == alone.returns.tolist()
    assert len(seen) == len(wanted)
    assert all(
        torch.equal(a, b) for one, other in zip(seen, wanted, strict=True) for a, b in zip(one, other, strict=True)
    )


def test_the_budget_is_kept_to_the_step() -> None:
    cut, _ = watched(make_lanes(cartpole, 0, 3, "sync", 2), max_steps=17)
    assert cut.lengths.sum() == 17
    assert not cut.ended.all()


def test_they_can_be_played_in_again_and_end_with_the_lanes() -> None:
    lanes = make_lanes(cartpole, 0, 4, "sync", 2)
    first, again = lanes.play(act, SEEDS), lanes.play(act, SEEDS)
    assert first.returns.tolist() == again.returns.tolist()
    assert len(multiprocessing.active_children()) == 2
    lanes.close()
    assert not multiprocessing.active_children()


class Breaks(gym.Wrapper[Any, Any, Any, Any]):
    """Raises in its third step."""

    steps = 0

    def step(self, action: Any) -> Any:
        self.steps += 1
        if self.steps == 3:
            raise UserError("the track has a hole")
        return super().step(action)


def test_what_an_environment_raises_is_raised() -> None:
    lanes = make_lanes(partial(make_env, "CartPole-v1", {}, [Breaks]), 0, 2, "sync", 2)
    with pytest.raises(UserError, match="the track has a hole"):
        lanes.play(act, SEEDS)
    lanes.close()


def test_a_process_that_dies_ends_in_one_line() -> None:
    lanes = make_lanes(cartpole, 0, 2, "sync", 2)
    os.kill(multiprocessing.active_children()[0].pid or 0, signal.SIGKILL)
    with pytest.raises(UserError, match="a process that steps environments has died"):
        lanes.play(act, SEEDS)
    lanes.close()


ALONE = """
import multiprocessing, os, signal
from tests.datamodules.environments.test_lanes import cartpole
from datamodules.environments.lanes import make_lanes
lanes = make_lanes(cartpole, 0, 4, "sync", 2)
print(*[process.pid for process in multiprocessing.active_children()], flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_they_do_not_outlive_a_process_that_was_killed() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], stdout=subprocess.PIPE, text=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    workers = [int(word) for word in done.stdout.split()]
    assert len(workers) == 2
    end = time.monotonic() + 20
    while any(is_alive(pid) for pid in workers) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(is_alive(pid) for pid in workers)


def test_a_search_goes_on_with_another_number_of_processes_to_the_bit(tmp_path: Path) -> None:
    """Also in the middle of the run: their number is no part of the state."""

    def searched(num_workers: int, generations: int, ckpt_path: Path | None = None) -> tuple[CMAES, Path]:
        module, run = agent(cls=CMAES), trainer(limit_val_batches=0, max_steps=generations)
        environments = data(total_steps=100_000, num_workers=num_workers)
        run.fit(module, environments, ckpt_path=ckpt_path, weights_only=True)
        path = tmp_path / f"{num_workers}-{generations}.ckpt"
        run.save_checkpoint(path)
        return module, path

    unbroken, _ = searched(0, 4)
    _, path = searched(2, 2)
    resumed, _ = searched(3, 4, path)
    assert torch.equal(unbroken.weights, resumed.weights)
    assert unbroken.env_steps == resumed.env_steps


def test_who_does_not_play_whole_episodes_is_told() -> None:
    with pytest.raises(UserError, match="num_workers is for agents that play whole episodes, and DQN does not"):
        trainer().fit(agent(cls=DQN), data(num_workers=2))
    with pytest.raises(UserError, match="num_workers shares out what vectorization: sync steps, and not async"):
        data(num_workers=2, vectorization="async")
    with pytest.raises(UserError, match="num_workers is -1"):
        data(num_workers=-1)
