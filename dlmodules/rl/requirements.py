"""What agents ask of the trainer and its data before anything is trained."""

import os
from typing import Any

import torch
from torch import Tensor

from dlmodules.errors import UserError
from dlmodules.protocols import Dynamics, EnvironmentSource, PlaysGames
from dlmodules.protocols.self_play import KeepsPositions


def require_environments(module: Any, doing: str, data_parallel: bool = False) -> EnvironmentSource:
    """Return the data module of a module's trainer.

    Args:
        module: the agent, attached to its trainer.
        doing: what it does with environments, for the message, such as ``learns by acting``.
        data_parallel: whether it may do so in several processes.

    Raises:
        UserError: the data has no environments, or there are several processes and may not be.
    """
    name, trainer = type(module).__name__, module.trainer
    if not hasattr(type(trainer.datamodule), "train_envs"):
        raise UserError(f"{name} {doing}: give it an EnvironmentDataModule")
    if isinstance(trainer.datamodule, KeepsPositions) and not isinstance(module, PlaysGames):
        raise UserError(
            f"{name} {doing}, not from games against itself as AlphaZero does: give it an EnvironmentDataModule"
        )
    if trainer.world_size > 1 and not data_parallel:
        raise UserError(
            f"{name} runs in one process, not {trainer.world_size}: set trainer.devices to 1"
            " (num_envs and vectorization of the data module make it wider)"
        )
    source: EnvironmentSource = trainer.datamodule
    return source


def require_finite_observations(observation: Tensor) -> None:
    """Raise UserError where what the environments show now ``(N, ...)`` is not all finite.

    An agent asks once an iteration: an environment that has come to NaN stays there, and each step would cost too much.
    """
    if observation.is_floating_point() and not torch.isfinite(observation.sum()):
        bad = observation[~torch.isfinite(observation)]
        if len(bad):  # else the sum alone was too large
            raise UserError(
                f"an environment returned an observation with {bad[0].item()} in it: all must be finite numbers; mend"
                " it, or wrap it"
            )


def require_table_size(source: EnvironmentSource, num_states: int, num_actions: int) -> None:
    """Raise UserError unless the environment has so many states and actions, both numbered."""
    own = {"num_states": num_states, "num_actions": num_actions}
    found = {"num_states": source.num_states, "num_actions": source.num_actions}
    if own != found:
        needed = ", ".join(f"{name}={value}" for name, value in found.items() if own[name] != value)
        raise UserError(f"the table has {num_states} states and {num_actions} actions: set {needed}")


def require_memory(num_states: int, num_actions: int, tables: int = 1) -> None:
    """Raise UserError where so many tables of float64 are more than the machine's memory."""
    needed = 8 * tables * num_states * num_actions
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 2**40
    if needed > memory:
        raise UserError(
            f"a table of {num_states:,} states by {num_actions:,} actions takes {needed / 2**30:,.0f} GiB, and this"
            f" machine has {memory / 2**30:,.0f}: number fewer states, with fewer bins of Discretize for example, or"
            " choose an agent with a network"
        )


def known_dynamics(source: EnvironmentSource) -> Dynamics | None:
    """Return all that can happen in an environment, or None where it has no such table."""
    try:
        return source.transitions
    except UserError:
        return None
