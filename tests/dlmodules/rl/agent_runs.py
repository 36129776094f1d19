"""Small runs of agents for the tests."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from datamodules.environments.environment import EnvironmentDataModule
from dlmodules.checkpoints.hparams import constructor_arguments
from dlmodules.rl.dqn import DQN
from tests.quiet import quiet_trainer


def trainer(**arguments: Any) -> pl.Trainer:
    return quiet_trainer(**{"max_epochs": -1, "num_sanity_val_steps": 0, **arguments})


def agent(seed: int = 0, cls: Any = DQN, **arguments: Any) -> Any:
    pl.seed_everything(seed, verbose=False)
    defaults = {
        "hidden_dims": (16,),
        "batch_size": 16,
        "buffer_capacity": 300,
        "learning_starts": 100,
        "steps_per_iteration": 32,
        "updates_per_iteration": 4,
        "target_update_interval": 6,
        "epsilon_steps": 500,
    }
    taken = {name: value for name, value in defaults.items() if name in constructor_arguments(cls)}
    return cls(**{**taken, **arguments})


def data(**arguments: Any) -> EnvironmentDataModule:
    defaults = {
        "num_envs": 4,
        "total_steps": 800,
        "steps_per_epoch": 256,
        "eval_episodes": 2,
        "test_episodes": 3,
    }
    return EnvironmentDataModule(**{**defaults, **arguments})


def rows(path: Path) -> list[dict[str, str]]:
    import csv

    with open(path) as file:
        return list(csv.DictReader(file))
