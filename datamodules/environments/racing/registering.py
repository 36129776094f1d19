"""The fast CarRacing under its id, ``dlmodules/CarRacing-v0``."""

from typing import TYPE_CHECKING, Any, Literal

from datamodules.environments.registering import register_once
from dlmodules.errors import UserError, install_command

if TYPE_CHECKING:
    from datamodules.environments.racing.env import CarRacing

CAR_RACING = "dlmodules/CarRacing-v0"
MAX_STEPS = 1_000
"""After so many steps an episode is truncated, as in Gymnasium's ``CarRacing-v3``."""


def make_car_racing(expert: Literal["wheel", "calm", "keys"] | None = None, **kwargs: Any) -> "CarRacing":
    """Return a ``CarRacing``; ``kwargs`` are its arguments.

    Args:
        expert: makes it a ``GuidedCarRacing``, which says what this expert would do.
        **kwargs: of ``CarRacing``.

    Raises:
        UserError: Box2D or pygame are not installed, or there is no such expert.
    """
    import gymnasium as gym

    try:
        from datamodules.environments.racing.env import CarRacing
    except (ImportError, gym.error.DependencyNotInstalled) as error:
        raise UserError(f"{CAR_RACING} needs Box2D and pygame: {install_command('box2d')}") from error
    if expert is None:
        return CarRacing(**kwargs)
    from datamodules.environments.racing.guided import GuidedCarRacing

    return GuidedCarRacing(expert, **kwargs)


def register_car_racing() -> None:
    """Tell Gymnasium of it, once."""
    register_once(CAR_RACING, make_car_racing, MAX_STEPS, checked=False)
