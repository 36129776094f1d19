"""Agents that look at pictures, on real games: a cut run ends where the unbroken one ends, and is filmed."""

from pathlib import Path
from typing import Any

import pytest

from callbacks.episodes.episode_video import film
from dlmodules.rl.dqn import DQN
from dlmodules.rl.image_networks import MinAtarQNetwork, NatureQNetwork
from dlmodules.rl.pqn import PQN
from tests.dlmodules.rl.agent_runs import agent, data, trainer
from tests.dlmodules.rl.test_dqn_resume import SaveAt, assert_same, everything

BREAKOUT = {
    "env_id": "ALE/Breakout-v5",
    "vectorization": "atari",
    # Episodes of 30 steps: some are over when the run is cut.
    "env_kwargs": {"max_num_frames_per_episode": 120, "num_threads": 1, "episodic_life": True},
    "num_envs": 2,
    "total_steps": 160,
    "steps_per_epoch": 64,
    "eval_episodes": 1,
}
MINATAR = {"env_id": "dlmodules/MinAtarBreakout-v0", "num_envs": 32, "total_steps": 1_536, "steps_per_epoch": 512}


def breakout_agent(seed: int = 0) -> Any:
    few = {"learning_starts": 32, "batch_size": 4, "updates_per_iteration": 2, "target_update_interval": 3}
    return agent(seed, DQN, num_actions=4, network=NatureQNetwork(), **few, buffer_capacity=100)


def minatar_agent(seed: int = 0) -> Any:
    network = MinAtarQNetwork(layer_norm=True)
    return agent(seed, PQN, num_actions=3, network=network, steps_per_iteration=256, epsilon_start=0.3)


@pytest.fixture(params=["atari", "minatar"])
def game(request: pytest.FixtureRequest) -> tuple[Any, dict[str, Any]]:
    package, make, arguments = {
        "atari": ("ale_py", breakout_agent, BREAKOUT),
        "minatar": ("minatar", minatar_agent, MINATAR),
    }[request.param]
    pytest.importorskip(package, reason=f"{package} is not installed: pip install -e '.[{request.param}]'")
    return make, arguments


def test_resuming_continues_the_unbroken_run(game: tuple[Any, dict[str, Any]], tmp_path: Path) -> None:
    make, arguments = game
    path = tmp_path / "cut.ckpt"
    unbroken, module, environments = trainer(callbacks=[SaveAt(path, 3, "train_batch")]), make(), data(**arguments)
    unbroken.fit(module, environments)
    resumed, new_module, new_environments = trainer(), make(5), data(**arguments)
    resumed.fit(new_module, new_environments, ckpt_path=path, weights_only=True)
    assert_same(everything(unbroken, module, environments), everything(resumed, new_module, new_environments))
    assert environments.state_dict()["train_envs"]["episodes"] > 2
    if module.env_steps == 160:  # of Breakout; a frame that several transitions show is stored once
        assert module.buffer.state_dict()["frames"].shape[1:] == (84, 84)
        assert len(module.buffer.state_dict()["frames"]) < 200  # alone, 100 transitions have 800


def test_it_is_filmed(game: tuple[Any, dict[str, Any]]) -> None:
    make, arguments = game
    ((frames, fps, _),) = film(make(), data(**arguments), episodes=1, seed=0, max_steps=5)
    assert 2 <= len(frames) <= 6
    assert frames[0].shape == ((210, 160, 3) if "vectorization" in arguments else (160, 160, 3))
    assert fps == (15 if "vectorization" in arguments else 10)
