"""The package's own environments, whose ids begin with ``dlmodules/``: Gymnasium hears of them when one is made."""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gymnasium as gym

NAMESPACE = "dlmodules/"
# Modules and their functions that register environments.
REGISTERING = (
    ("datamodules.environments.chains", "register_chains"),
    ("datamodules.environments.dodge", "register_dodge"),
    ("datamodules.environments.doom", "register_doom"),
    ("datamodules.environments.dreams", "register_dreams"),
    ("datamodules.environments.grids", "register_grids"),
    ("datamodules.environments.minatar_games", "register_minatar"),
    ("datamodules.environments.racing.registering", "register_car_racing"),
    ("datamodules.environments.winding_road", "register_roads"),
)


def register_own() -> None:
    """Tell Gymnasium of all of the package's environments."""
    for module, function in REGISTERING:
        getattr(importlib.import_module(module), function)()


def register_once(
    env_id: str,
    made: "Callable[..., gym.Env[Any, Any]]",
    max_episode_steps: int | None = None,
    checked: bool = True,
) -> None:
    """Register an environment, unless that was done before.

    Args:
        env_id: such as ``dlmodules/QWorld-v0``.
        made: returns one; its arguments are those of ``gymnasium.make``.
        max_episode_steps: after which an episode is truncated; None for no limit.
        checked: let Gymnasium look at what each step returns, which takes a few microseconds.
    """
    import gymnasium as gym

    if env_id not in gym.registry:
        gym.register(
            env_id,
            entry_point=made,
            max_episode_steps=max_episode_steps,
            order_enforce=checked,
            disable_env_checker=not checked,
        )
