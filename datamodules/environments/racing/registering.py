"""The fast CarRacing under its id, ``dlmodules/CarRacing-v0``."""

from typing import TYPE_CHECKING, Any

from datamodules.environments.registering import register_once
from dlmodules.errors import UserError, install_command

if TYPE_CHECKING:
    from datamodules.environments.racing.env import CarRacing

CAR_RACING = "dlmodules/CarRacing-v0"
MAX_STEPS = 1_000
"""After so many steps an episode is truncated, as in Gymnasium's ``CarRacing-v3``."""


def make_car_racing(**kwargs: Any) -> "CarRacing":
    """Return a ``CarRacing``; ``kwargs`` are its arguments.

    Raises:
        UserError: Box2D or pygame are not installed.
    """
    import gymnasium as gym

    try:
        from datamodules.environments.racing.env import CarRacing
    except (ImportError, gym.error.DependencyNotInstalled) as error:
        raise UserError(f"{CAR_RACING} needs Box2D and pygame: {install_command('box2d')}") from error
    return CarRacing(**kwargs)


def register_car_racing() -> None:
    """Tell Gymnasium of it, once."""
    register_once(CAR_RACING, make_car_racing, MAX_STEPS, checked=False)
