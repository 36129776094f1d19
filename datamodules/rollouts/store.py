"""Rollouts in memory maps: played once, episode by episode, and found again by what they were asked for."""

import hashlib
import json
import multiprocessing
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.lib.format import open_memmap

from datamodules.environments.making import Wrapper, make_env
from datamodules.rollouts.policies import NAMED, make_policy
from dlmodules.checkpoints.hashes import file_hash
from dlmodules.errors import UserError

NAMES = ("frames", "actions", "rewards", "ended", "lengths")


@dataclass(frozen=True)
class RolloutSettings:
    """What rollouts follow from.

    Args:
        env_id: of the environment.
        env_kwargs: further arguments of it.
        wrappers: of each environment.
        policy: ``random``, ``smooth``, ``expert`` or the checkpoint of an agent.
        hold: steps that a random action is held for.
        mean: of the actions of ``smooth``.
        spread: of the actions of ``smooth``.
        episodes: their number.
        max_steps: most steps of an episode.
        seed: of the environments and the policy.
    """

    env_id: str
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    wrappers: Sequence[Wrapper] = ()
    policy: str = "random"
    hold: int = 1
    mean: list[float] | None = None
    spread: list[float] | None = None
    episodes: int = 1
    max_steps: int = 1
    seed: int = 0

    def described(self) -> dict[str, Any]:
        """Return the settings as plain values, with the content of a checkpoint in place of its path."""
        found = {**asdict(self), "wrappers": [str(wrapper) for wrapper in self.wrappers]}
        if self.policy not in NAMED:
            found["policy"] = file_hash(self.policy)
        return found

    @property
    def folder_name(self) -> str:
        """A name that other settings do not have."""
        text = json.dumps(self.described(), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class Rollouts:
    """Rollouts that lie in a folder, as arrays that are read from there.

    Attributes:
        frames: ``(E, T + 1, ...)``, what was seen: ``frames[e, t]`` before ``actions[e, t]``, the last one at the end.
        actions: ``(E, T, ...)``, float32 or int64.
        rewards: ``(E, T)`` float32, of the action at the same place.
        ended: ``(E, T)`` bool, whether it ended the episode, which a limit of steps does not.
        lengths: ``(E,)`` int32, how many of the T places of an episode there are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.frames, self.actions, self.rewards, self.ended, self.lengths = (
            np.load(folder / f"{name}.npy", mmap_mode="r") for name in NAMES
        )


def play_rollouts(settings: RolloutSettings, root: Path, workers: int = 1) -> Path:
    """Play what is not there yet, and return the folder where all of it lies.

    Each episode has a seed of its own, so the number of workers changes nothing; an interrupted run goes on with the
    episodes that are missing. The folder has its name when all are there.

    Args:
        settings: what is wanted.
        root: folder of all rollouts.
        workers: processes that play.

    Raises:
        UserError: for an environment or a policy that cannot be made, or that see or do other things than arrays.
    """
    root.mkdir(parents=True, exist_ok=True)
    final = root / settings.folder_name
    # Who comes while another process plays them waits, and finds them there.
    with FileLock(f"{final}.lock"):
        if not final.is_dir():
            _play_missing(settings, final, workers)
    return final


def _play_missing(settings: RolloutSettings, final: Path, workers: int) -> None:
    part = final.with_suffix(".part")
    if not (part / "settings.json").is_file():
        _prepare(settings, part)
    missing = np.flatnonzero(np.load(part / "lengths.npy") == 0)
    if workers <= 1 or len(missing) <= 1:
        play_episodes(settings, part, missing.tolist())
    else:
        shares = [missing[start::workers].tolist() for start in range(min(workers, len(missing)))]
        # A new interpreter for each: a forked one would share the threads of torch.
        with multiprocessing.get_context("spawn").Pool(len(shares)) as pool:
            pool.starmap(play_episodes, [(settings, part, share) for share in shares])
    os.replace(part, final)


def _prepare(settings: RolloutSettings, part: Path) -> None:
    """Make the files, empty."""
    env = make_env(settings.env_id, settings.env_kwargs, settings.wrappers)
    seen, done = env.observation_space, env.action_space
    env.close()
    from gymnasium.spaces import Box, Discrete

    if not isinstance(seen, Box) or not isinstance(done, (Box, Discrete)):
        raise UserError(f"rollouts keep arrays, but {settings.env_id} has observations {seen} and actions {done}")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    e, t = settings.episodes, settings.max_steps
    action = np.int64 if isinstance(done, Discrete) else np.float32
    shapes: dict[str, tuple[Any, tuple[int, ...]]] = {
        "frames": (seen.dtype, (e, t + 1, *(seen.shape or ()))),
        "actions": (action, (e, t, *(done.shape or ()))),
        "rewards": (np.float32, (e, t)),
        "ended": (np.bool_, (e, t)),
        "lengths": (np.int32, (e,)),
    }
    for name, (dtype, shape) in shapes.items():
        open_memmap(part / f"{name}.npy", mode="w+", dtype=dtype, shape=shape).flush()
    # The last file: without it the others may not be whole.
    (part / "settings.json").write_text(json.dumps(settings.described(), indent=2, default=str))


def play_episodes(settings: RolloutSettings, folder: Path, episodes: Sequence[int]) -> None:
    """Play episodes into the files of ``folder``."""
    frames, actions, rewards, ended, lengths = (open_memmap(folder / f"{name}.npy", mode="r+") for name in NAMES)
    env = make_env(settings.env_id, settings.env_kwargs, settings.wrappers)
    policy = make_policy(settings.policy, env, settings.hold, settings.mean, settings.spread)
    for episode in episodes:
        of_env, of_policy = np.random.SeedSequence([settings.seed, episode]).generate_state(2)
        policy.begin(int(of_policy))
        observation, _ = env.reset(seed=int(of_env))
        frames[episode, 0] = observation
        step, over = 0, False
        while step < settings.max_steps and not over:
            action = policy.act(observation)
            observation, reward, terminated, truncated, _ = env.step(action)
            actions[episode, step], rewards[episode, step], ended[episode, step] = action, reward, terminated
            frames[episode, step + 1] = observation
            step, over = step + 1, terminated or truncated
        for written in (frames, actions, rewards, ended):
            written.flush()
        # Only now is the episode there.
        lengths[episode] = step
        lengths.flush()
    env.close()
