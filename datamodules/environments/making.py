"""Make one Gymnasium environment from plain values, or raise a one-line error."""

import importlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from datamodules.environments.registering import NAMESPACE, register_own
from dlmodules.errors import UserError, install_command

if TYPE_CHECKING:
    import gymnasium as gym

ATARI = "ALE/"

Wrapper = str | dict[str, Any] | Callable[[Any], Any]


def make_env(
    env_id: str, env_kwargs: Mapping[str, Any], wrappers: Sequence[Wrapper], render_mode: str | None = None
) -> "gym.Env[Any, Any]":
    """Return ``gymnasium.make(env_id, **env_kwargs)`` inside ``wrappers``, the first innermost.

    The package's own environments, whose ids begin with ``dlmodules/``, and Atari games, whose ids begin with ``ALE/``,
    are registered first. Observations in double precision become float32.

    Raises:
        UserError: unknown id, argument or wrapper, or a package that the environment needs is missing.
    """
    import gymnasium as gym

    if env_id.startswith(NAMESPACE):
        register_own()
    if env_id.startswith(ATARI):
        register_ale(env_id)
    makers = [(_name(wrapper), _maker(wrapper)) for wrapper in wrappers]
    rendering = {} if render_mode is None else {"render_mode": render_mode}
    try:
        env: gym.Env[Any, Any] = gym.make(env_id, **{**env_kwargs, **rendering})
    except gym.error.NamespaceNotFound as error:
        raise UserError(
            f"no environment {env_id}: {_line(error)} Install it and name its module before a colon"
            ' (for Atari: pip install ale-py, env_id "ALE/Pong-v5";'
            ' for MinAtar: pip install minatar, env_id "dlmodules/MinAtarBreakout-v0")'
        ) from error
    except gym.error.UnregisteredEnv as error:
        known = "" if "Did you mean" in str(error) or "versioned" in str(error) else _known(gym, env_id)
        raise UserError(f"no environment {env_id}: {_line(error)}{known}") from error
    except (gym.error.Error, ImportError) as error:
        raise UserError(f"environment {env_id} cannot be made: {_line(error)}") from error
    except (TypeError, ValueError, KeyError) as error:
        if not env_kwargs:
            raise
        raise UserError(f"environment {env_id} does not take env_kwargs {dict(env_kwargs)}: {_line(error)}") from error
    for name, maker in makers:
        try:
            env = maker(env)
        except (TypeError, ValueError, AssertionError, gym.error.Error) as error:
            raise UserError(f"wrapper {name} does not fit {env_id}: {_line(error)}") from error
    space = env.observation_space
    if isinstance(space, gym.spaces.Box) and space.dtype == np.float64:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*precision lowered by casting.*")
            env = gym.wrappers.DtypeObservation(env, np.float32)  # the networks' precision
    return env


def make_vector(env_id: str, env_kwargs: Mapping[str, Any], num_envs: int) -> "gym.vector.VectorEnv[Any, Any, Any]":
    """Return ``num_envs`` environments in the vector form that they bring themselves.

    Raises:
        UserError: they have none, the id is unknown, or an argument does not fit.
    """
    import gymnasium as gym

    if env_id.startswith(NAMESPACE):
        register_own()
    try:
        return gym.make_vec(env_id, num_envs, vectorization_mode="vector_entry_point", **env_kwargs)
    except gym.error.Error as error:
        raise UserError(
            f"{env_id} has no vector form of its own: set vectorization to sync ({_line(error)})"
        ) from error
    except (TypeError, ValueError) as error:
        raise UserError(f"environment {env_id} does not take {dict(env_kwargs)}: {_line(error)}") from error


def register_ale(env_id: str) -> None:
    """Tell Gymnasium of the Atari games, of which ``env_id`` is one. Raises UserError where ale-py is missing."""
    import gymnasium as gym

    try:
        ale_py = importlib.import_module("ale_py")
    except ImportError as error:
        raise UserError(f"{env_id} needs ale-py: {install_command('atari')}") from error
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)  # no word of welcome
    gym.register_envs(ale_py)


def portable_wrapper(wrapper: Wrapper) -> str | dict[str, Any] | None:
    """Return ``wrapper`` as plain values for a checkpoint, or None for one that cannot be imported."""
    if not callable(wrapper):
        return wrapper
    name = _name(wrapper)
    return None if "<" in name else name


def _name(wrapper: Wrapper) -> str:
    if isinstance(wrapper, dict):
        return str(wrapper.get("class_path"))
    if isinstance(wrapper, str):
        return wrapper
    return f"{wrapper.__module__}.{getattr(wrapper, '__qualname__', '<unnamed>')}"


def _maker(wrapper: Wrapper) -> Callable[[Any], Any]:
    if callable(wrapper):
        return wrapper
    path, init_args = (wrapper, {}) if isinstance(wrapper, str) else (_name(wrapper), wrapper.get("init_args") or {})
    module, _, attribute = path.rpartition(".")
    try:
        made: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"no wrapper {path}: give an import path such as gymnasium.wrappers.FlattenObservation"
        ) from error
    return lambda env: made(env, **init_args)


def _line(error: BaseException) -> str:
    # A KeyError prints its key with quotes and nothing else; Gymnasium's own errors may span lines.
    return " ".join(str(error).split()) or type(error).__name__


def _known(gym: Any, env_id: str) -> str:
    namespace = NAMESPACE.rstrip("/") if env_id.startswith(NAMESPACE) else None
    specs = (spec for spec in gym.registry.values() if spec.namespace == namespace)
    names = sorted({spec.name for spec in specs if not spec.name.startswith(("CarRacing", "Doom", "MinAtar"))})
    return f" Known without further packages: {', '.join(names)}."
