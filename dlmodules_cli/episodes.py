"""Play and film the episodes of an agent from its checkpoint alone."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_lightning import LightningModule

from callbacks.episode_video import film
from callbacks.media import write_gif
from datamodules import EnvironmentDataModule
from dlmodules.errors import UserError


def play(module: LightningModule, checkpoint: dict[str, Any], output: Path, num: int, seed: int) -> None:
    """Play ``num`` episodes in the environment that the checkpoint names; write a GIF of each and ``samples.npz``.

    The array ``samples`` holds the returns of the episodes.
    """
    settings = dict(checkpoint.get("datamodule_hyper_parameters", {}))
    if "env_id" not in settings:
        raise UserError("the checkpoint does not name its environment; it was not trained on an EnvironmentDataModule")
    accepted = {key: value for key, value in settings.items() if not key.startswith("_")}
    with torch.no_grad():
        films = film(module, EnvironmentDataModule(**accepted), episodes=num, seed=seed)
    for index, (frames, fps, _) in enumerate(films):
        write_gif(output / f"episode_{index}.gif", frames, fps)
    returns = np.array([total for _, _, total in films])
    np.savez_compressed(output / "samples.npz", samples=returns)
    print(f"{num} episodes, mean return {returns.mean():.1f}: {output}/episode_*.gif and {output / 'samples.npz'}")
