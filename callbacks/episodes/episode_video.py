"""Films of an agent's episodes."""

import importlib.util
import os
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from callbacks.base.grids import Picture
from callbacks.base.inference import undisturbed
from callbacks.base.media import save_video, warn_once
from callbacks.base.plotting import PlottingCallback
from callbacks.base.trainers import datamodule_of
from dlmodules.errors import UserError, install_command
from dlmodules.protocols import Acts, ActsWithMemory, MakesEnvironments, Memory

Beside = Callable[[Picture, Any], Picture]
"""Takes a frame ``(H, W, 3)`` and the observation, and returns a wider frame, of the same size each time."""


class EpisodeVideo(PlottingCallback):
    """Films whole episodes of the deterministic policy, in an environment of their own.

    Works with any module that has ``act``, with a memory or without, and a data module with
    ``make_env(render_mode=...)``, which returns one Gymnasium environment. The film's name is ``episode``, or
    ``episode/0``, ``episode/1`` … where there are several.

    Args:
        episodes: how many episodes at each filming.
        every_n_epochs: film after each that many epochs.
        every_n_steps: film after each that many training steps instead.
        fmt: ``gif``, or ``mp4``, which is smaller and needs imageio-ffmpeg.
        max_steps: an episode is cut after that many steps.
        seed: seed of the first episode's environment, one more for each further episode.
    """

    needs: ClassVar[tuple[type, ...]] = (Acts,)
    film_name: ClassVar[str] = "episode"

    def __init__(
        self,
        episodes: int = 1,
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
        fmt: Literal["gif", "mp4"] = "gif",
        max_steps: int = 1000,
        seed: int = 0,
    ) -> None:
        super().__init__(every_n_epochs, every_n_steps)
        if episodes < 1 or max_steps < 1:
            raise UserError("EpisodeVideo: episodes and max_steps must be 1 or more")
        if fmt not in ("gif", "mp4"):
            raise UserError(f"EpisodeVideo: fmt is gif or mp4, not {fmt}")
        if fmt == "mp4" and importlib.util.find_spec("imageio_ffmpeg") is None:
            raise UserError(f"EpisodeVideo: mp4 needs imageio-ffmpeg: {install_command('video')}, or take fmt: gif")
        self.episodes = episodes
        self.fmt = fmt
        self.max_steps = max_steps
        self.seed = seed

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module that cannot act, or data without an environment."""
        super().setup(trainer, pl_module, stage)
        if not isinstance(datamodule_of(trainer), MakesEnvironments):
            raise UserError("EpisodeVideo needs a data module with `make_env`, such as EnvironmentDataModule")

    def beside(self, trainer: Trainer, pl_module: LightningModule) -> Beside | None:
        """Return what shows something to the right of each frame; None for nothing."""
        return None

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        with undisturbed(trainer, pl_module, self.seed):
            try:
                beside = self.beside(trainer, pl_module)
                films = film(pl_module, datamodule_of(trainer), self.episodes, self.seed, self.max_steps, beside)
            except Exception as error:  # a renderer can fail in any way; the training does not depend on it
                warn_once(self, f"EpisodeVideo cannot film: {error}")
                return
        for index, (frames, fps, total) in enumerate(films):
            name = self.film_name if self.episodes == 1 else f"{self.film_name}/{index}"
            save_video(trainer, name, frames, fps, self.fmt, caption=f"return {total:g}")


def film(
    agent: Any,
    datamodule: Any,
    episodes: int,
    seed: int,
    max_steps: int = 1000,
    beside: Beside | None = None,
) -> list[tuple[list[Picture], float, float]]:
    """Play and film episodes of a deterministic policy.

    Args:
        agent: a module with ``act`` (``dlmodules.protocols.Acts`` or ``ActsWithMemory``).
        datamodule: has ``make_env(render_mode=...)``.
        episodes: how many to play.
        seed: seed of the first episode's environment, one more for each further episode.
        max_steps: an episode is cut after that many steps.
        beside: shows something to the right of each frame; None shows nothing.

    Returns:
        For each episode its frames ``(H, W, 3)`` uint8, their number a second, and the return.
    """
    # Gymnasium draws with pygame, which looks for a screen unless told that there is none.
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    env = datamodule.make_env(render_mode="rgb_array")
    fps = float(env.metadata.get("render_fps") or 30)
    films = []
    try:
        for index in range(episodes):
            observation, _ = env.reset(seed=seed + index)
            frames, total, over = [_frame(env, observation, beside)], 0.0, False
            state = agent.initial_state(1) if isinstance(agent, ActsWithMemory) else None
            while not over and len(frames) <= max_steps:
                action, state = _act(agent, _as_batch(observation, agent.device), state)
                observation, reward, terminated, truncated, _ = env.step(action)
                frames.append(_frame(env, observation, beside))
                total += float(reward)
                over = bool(terminated or truncated)
            films.append((frames, fps, total))
    finally:
        env.close()
    return films


def _act(agent: Any, observation: Tensor, state: Memory | None) -> tuple[Any, Memory | None]:
    """Return the action for an observation ``(1, ...)`` as the environment takes it, and the memory after it."""
    action, state = (agent.act(observation), None) if state is None else agent.act(observation, state)
    return action[0].cpu().numpy()[()], state  # a numbered action as a number, which can be looked up


def _as_batch(observation: Any, device: torch.device) -> Tensor:
    """One observation as a batch of one, on the module's device; double precision becomes single."""
    array = np.asarray(observation)
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    return torch.as_tensor(array, device=device)[None]


def _frame(env: Any, observation: Any, beside: Beside | None) -> Picture:
    frame = env.render()
    if not isinstance(frame, np.ndarray):
        raise TypeError("the environment gave no picture for render_mode rgb_array")
    frame = frame.astype(np.uint8, copy=False)
    return frame if beside is None else beside(frame, observation)
