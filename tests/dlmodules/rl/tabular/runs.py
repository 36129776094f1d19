"""Small runs of tabular agents, and environments whose values are known exactly."""

from typing import Any

import gymnasium as gym
import pytorch_lightning as pl

from datamodules.environments.environment import EnvironmentDataModule
from datamodules.environments.table_env import TableEnv
from tests.dlmodules.rl.agent_runs import trainer

BELT = "TestBelt-v0"
SHORT_BELT = "TestShortBelt-v0"


def register() -> None:
    if BELT in gym.registry:
        return
    # One state for ever, which pays 1 a step, cut after 10 steps; and the same with an end after each step.
    for name, terminated in ((BELT, False), (SHORT_BELT, True)):
        table = [[[(1.0, 0, 1.0, terminated)]] * 2]
        gym.register(name, lambda table=table, **_: TableEnv(table, 0), max_episode_steps=10)


def learnt(
    cls: Any, env_id: str, steps: int, seed: int = 0, data: dict[str, Any] | None = None, **arguments: Any
) -> Any:
    """Return an agent after a run of so many steps; its ``trainer`` has the metrics and the data."""
    register()
    pl.seed_everything(seed, verbose=False)
    defaults = {"num_envs": 1, "eval_episodes": 2, "steps_per_epoch": steps, "seed": seed}
    source = EnvironmentDataModule(env_id, total_steps=steps, **{**defaults, **(data or {})})
    sizes = {"num_states": source.num_states, "num_actions": source.num_actions}
    agent = cls(**{**sizes, **arguments})
    trainer().fit(agent, source)
    return agent
