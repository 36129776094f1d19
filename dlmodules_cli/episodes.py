"""Play and film the episodes of an agent from its checkpoint alone."""

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_lightning import LightningModule

from callbacks.base.media import write_gif
from callbacks.episodes.episode_video import film
from datamodules import EnvironmentDataModule, SelfPlayDataModule
from dlmodules.errors import UserError

# Packages that are imported on the word of a checkpoint; any other must be imported already.
TRUSTED = ("gymnasium", "ale_py", "datamodules")


def play(module: LightningModule, checkpoint: dict[str, Any], output: Path, num: int, seed: int) -> None:
    """Play ``num`` episodes in the environment that the checkpoint names; write a GIF of each and ``samples.npz``.

    The array ``samples`` holds the returns of the episodes.
    """
    with torch.no_grad():
        films = film(module, environments_of(checkpoint), episodes=num, seed=seed)
    for index, (frames, fps, _) in enumerate(films):
        write_gif(output / f"episode_{index}.gif", frames, fps)
    returns = np.array([total for _, _, total in films])
    np.savez_compressed(output / "samples.npz", samples=returns)
    print(f"{num} episodes, mean return {returns.mean():.1f}: {output}/episode_*.gif and {output / 'samples.npz'}")


def environments_of(checkpoint: dict[str, Any]) -> EnvironmentDataModule | SelfPlayDataModule:
    """Return what makes the environments, or the games, that a checkpoint's agent was trained in.

    Raises:
        UserError: the checkpoint names none, or one that only a foreign module could bring.
    """
    settings = dict(checkpoint.get("datamodule_hyper_parameters", {}))
    accepted = {key: value for key, value in settings.items() if not key.startswith("_")}
    if "game" in settings:
        check_game(str(settings["game"]))
        return SelfPlayDataModule(**accepted)
    if "env_id" not in settings:
        raise UserError("the checkpoint does not name its environment; it was not trained on an EnvironmentDataModule")
    check_names(settings)
    return EnvironmentDataModule(**accepted)


def check_game(name: str) -> None:
    """Refuse a checkpoint's game that only a foreign module could bring.

    Raises:
        UserError: its module is neither trusted nor imported.
    """
    module, dot, _ = name.rpartition(".")
    if dot:
        _require_known(module, name)


def check_names(settings: dict[str, Any]) -> None:
    """Refuse an environment or a wrapper that only a foreign module could bring: a checkpoint must not import one.

    Raises:
        UserError: a module is neither trusted nor imported, or what is named as a wrapper is none.
    """
    import gymnasium as gym

    module, colon, _ = str(settings["env_id"]).partition(":")
    if colon:
        _require_known(module, settings["env_id"])
    for wrapper in settings.get("wrappers") or ():
        path = str(wrapper.get("class_path") if isinstance(wrapper, dict) else wrapper)
        module, _, name = path.rpartition(".")
        _require_known(module, path)
        found = getattr(sys.modules.get(module), name, None)
        if not (isinstance(found, type) and issubclass(found, gym.Wrapper)):
            raise UserError(f"the checkpoint names {path} as a wrapper; it is no gymnasium.Wrapper")


def _require_known(module: str, named: str) -> None:
    if module.partition(".")[0] in TRUSTED:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise UserError(f"the checkpoint's environment needs {named}: {error}") from error
    if module not in sys.modules:
        raise UserError(f"the checkpoint names {named}: import its module first, by --imports '[{module}]'")
