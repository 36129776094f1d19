"""The spaces of a Gymnasium environment as sizes for an agent, or a one-line error if they are not supported."""

from typing import Any

from gymnasium import Env, Wrapper, spaces
from gymnasium.wrappers import FrameStackObservation

from dlmodules.errors import UserError

# Spaces whose values are one array, or one number, each.
ARRAYS = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)


def require_arrays(env_id: str, observation_space: Any, action_space: Any) -> None:
    """Raise UserError unless observations and actions are arrays of numbers, or numbers."""
    if not isinstance(observation_space, ARRAYS):
        raise _not_arrays(env_id, observation_space)
    if not isinstance(action_space, ARRAYS):
        raise UserError(f"{env_id} has actions {action_space}, not arrays of numbers: wrap it so that they are")


def box_shape(env_id: str, space: Any) -> tuple[int, ...]:
    """Return the shape of an observation of ``Box``. Raises UserError for any other space."""
    if not isinstance(space, spaces.Box):
        raise _not_arrays(env_id, space)
    return tuple(space.shape)


def count_actions(env_id: str, space: Any) -> int:
    """Return the number of actions. Raises UserError unless they are numbered from 0."""
    if not isinstance(space, spaces.Discrete):
        raise UserError(
            f"{env_id} has actions {space}, and this agent needs discrete ones:"
            " choose another environment, or an agent for such actions"
        )
    if space.start != 0:
        raise UserError(f"{env_id} numbers its actions from {space.start}; wrap it so that they start at 0")
    return int(space.n)


def count_action_numbers(env_id: str, space: Any) -> int:
    """Return how many numbers an action of ``Box`` has. Raises UserError for other spaces, or without finite bounds."""
    if not isinstance(space, spaces.Box) or len(space.shape) != 1:
        raise UserError(
            f"{env_id} has actions {space}, and this agent needs a row of numbers for each:"
            " choose another environment, or an agent for such actions"
        )
    if not space.is_bounded():
        raise UserError(f"{env_id} has actions {space} without bounds: wrap it so that they have some")
    return int(space.shape[0])


def count_states(env_id: str, space: Any) -> int:
    """Return the number of observations. Raises UserError unless they are numbered from 0."""
    if not isinstance(space, spaces.Discrete):
        is_row = isinstance(space, spaces.Box) and len(space.shape) == 1
        way = "add datamodules.environments.discretize.Discretize to wrappers" if is_row else "wrap it so that they are"
        raise UserError(
            f"{env_id} has observations {space}, and a table needs numbered ones:"
            f" {way}, or choose an agent with a network"
        )
    if space.start != 0:
        raise UserError(f"{env_id} numbers its observations from {space.start}; wrap it so that they start at 0")
    return int(space.n)


def count_stacked_frames(env: "Env[Any, Any]") -> int:
    """Return how many frames an observation stacks along its first axis, by ``FrameStackObservation``; else 1."""
    outer = env.observation_space.shape
    while isinstance(env, Wrapper):
        if isinstance(env, FrameStackObservation):
            stacked = env.observation_space.shape
            return stacked[0] if stacked is not None and stacked == outer else 1
        env = env.env
    return 1


def _not_arrays(env_id: str, space: Any) -> UserError:
    return UserError(
        f"{env_id} has observations {space}, not arrays of numbers:"
        " add gymnasium.wrappers.FlattenObservation to wrappers"
    )
