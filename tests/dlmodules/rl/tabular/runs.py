"""Small runs of tabular agents, and environments whose values are known exactly."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytorch_lightning as pl
import torch
import yaml

import dlmodules
from datamodules.environments.environment import EnvironmentDataModule
from datamodules.environments.table_env import TableEnv
from dlmodules.rl import exploration as exploring
from dlmodules.rl.tabular.planning import deterministic_policy, exact_return
from tests.dlmodules.rl.agent_runs import trainer
from tests.dlmodules.rl.known_environments import register as register_known

CONFIGS = Path(__file__).parents[4] / "configs" / "rl"
BELT = "TestBelt-v0"
SHORT_BELT = "TestShortBelt-v0"


def register() -> None:
    register_known()
    if BELT in gym.registry:
        return
    # One state for ever, which pays 1 a step, cut after 10 steps; and the same with an end after each step.
    for name, terminated in ((BELT, False), (SHORT_BELT, True)):
        table = [[[(1.0, 0, 1.0, terminated)]] * 2]
        gym.register(name, lambda table=table, **_: TableEnv(table, 0), max_episode_steps=10)


def learnt(
    cls: Any,
    env_id: str,
    steps: int,
    seed: int = 0,
    data: dict[str, Any] | None = None,
    callbacks: Sequence[pl.Callback] = (),
    **arguments: Any,
) -> Any:
    """Return an agent after a run of so many steps; its ``trainer`` has the metrics and the data."""
    register()
    pl.seed_everything(seed, verbose=False)
    defaults = {"num_envs": 1, "eval_episodes": 2, "steps_per_epoch": steps, "seed": seed}
    source = EnvironmentDataModule(env_id, total_steps=steps, **{**defaults, **(data or {})})
    sizes = {"num_states": source.num_states, "num_actions": source.num_actions}
    agent = cls(**{**sizes, **arguments})
    trainer(callbacks=list(callbacks)).fit(agent, source)
    return agent


def trained(name: str, seed: int, callbacks: Sequence[pl.Callback] = (), **data: Any) -> Any:
    """An agent of a configuration, after its whole budget or that of ``data``."""
    settings = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())
    given = settings["model"]["init_args"]
    exploration = given.pop("exploration")
    cls = getattr(exploring, exploration["class_path"].rpartition(".")[2])
    given["exploration"] = cls(**exploration.get("init_args", {}))
    source = {**settings["data"]["init_args"], **data}
    steps, env_id = source.pop("total_steps"), source.pop("env_id")
    model = getattr(dlmodules, settings["model"]["class_path"].rpartition(".")[2])
    source |= {"steps_per_epoch": steps} if "steps_per_epoch" not in data else {}
    return learnt(model, env_id, steps, seed, source, callbacks, **given)


def expected_return(agent: Any) -> float:
    """Of its best known actions within the time limit, from the table of transitions."""
    dynamics = agent.trainer.datamodule.transitions
    actions = agent.act(torch.arange(agent.num_states))
    return float(exact_return(dynamics, deterministic_policy(actions, agent.num_actions)))
