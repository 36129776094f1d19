"""The frames of rollouts, for a VAE or whatever learns from single frames."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import override

from datamodules.base.in_memory import InMemoryDataModule
from datamodules.environments.making import Wrapper
from datamodules.rollouts.store import Rollouts, RolloutSettings, play_rollouts
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_at_least_one, check_fractions_apart, require_at_least

View = Literal["frames", "actions"]


class FramesDataset(Dataset[Any]):
    """Frames of rollouts, and perhaps what was done there.

    Args:
        rollouts: where they lie.
        episodes: which of them.
        view: what stands beside a frame: with ``frames`` the number of its episode, with ``actions`` what was done.
    """

    def __init__(self, rollouts: Rollouts, episodes: Sequence[int], view: View = "frames") -> None:
        self.rollouts, self.view = rollouts, view
        # An episode's last frame has no action.
        more = 1 if view == "frames" else 0
        places = [(e, t) for e in episodes for t in range(int(rollouts.lengths[e]) + more)]
        self.places = np.array(places, dtype=np.int64).reshape(-1, 2)

    def __len__(self) -> int:
        return len(self.places)

    @override
    def __getitem__(self, index: int) -> Any:
        return tuple(part[0] for part in self.__getitems__([index]))

    def __getitems__(self, indices: Sequence[int]) -> Any:
        """Return frames ``(B, C, H, W)`` float32 in [0, 1], and their episodes ``(B,)`` or actions ``(B, ...)``."""
        episodes, steps = self.places[np.asarray(indices)].T
        frames = frames_to_images(self.rollouts.frames[episodes, steps])
        beside = episodes if self.view == "frames" else self.rollouts.actions[episodes, steps]
        return frames, torch.from_numpy(beside)


def frames_to_images(frames: Any) -> Tensor:
    """Return frames of an environment ``(..., H, W, C)`` uint8 as images ``(..., C, H, W)`` float32 in [0, 1]."""
    return torch.from_numpy(np.moveaxis(frames, -1, -3).astype(np.float32, order="C")).div_(255)


class RolloutsDataModule(InMemoryDataModule[Any, Any]):
    """Frames of episodes that are played once and kept in memory maps, ``(B, C, H, W)`` float32 in [0, 1].

    Everything in an episode follows from ``seed`` and its number. An interrupted collection goes on where it was, and
    other arguments have another folder. Whole episodes are held out for validation and test.

    Books: foster F8.3.

    Args:
        env_id: Gymnasium id of an environment whose observations are frames ``(H, W, C)`` uint8.
        env_kwargs: further arguments of ``gymnasium.make``.
        wrappers: applied to each environment, as in ``EnvironmentDataModule``.
        policy: ``random``, actions that are held for ``hold`` steps; ``smooth``, actions that wander; ``expert``,
            who drives CarRacing by its state, ``expert_calm``, who drives more slowly, ``expert_keys``, who does so by
            keys; or the checkpoint of an agent.
        hold: steps that a random action is held for.
        policy_mean: mean of each number of an action, for ``smooth``; None is the middle of its bounds.
        policy_spread: its standard deviation, for ``smooth``, where None is half the distance of its bounds; and for
            an expert, who is moved off his line by it, where None leaves him there.
        episodes: how many are played.
        max_steps: most steps of one.
        val_fraction: part of the episodes for validation.
        test_fraction: part of them for the test.
        view: what stands beside a frame: with ``frames`` the number of its episode, with ``actions`` what was done.
        workers: processes that play.
        rollouts_dir: folder of all rollouts.
        batch_size: frames of a batch.
        **kwargs: of ``InMemoryDataModule``.

    Raises:
        UserError: for a number out of range, and, when the episodes are played, for an environment that cannot be made
            or has no frames.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"episodes": 16, "max_steps": 12, "batch_size": 8}
    unit = "frames"

    def __init__(
        self,
        env_id: str = "dlmodules/CarRacing-v0",
        env_kwargs: dict[str, Any] | None = None,
        wrappers: Sequence[Wrapper] = (),
        policy: str = "random",
        hold: int = 5,
        policy_mean: list[float] | None = None,
        policy_spread: list[float] | None = None,
        episodes: int = 100,
        max_steps: int = 300,
        val_fraction: float = 0.1,
        test_fraction: float = 0.1,
        view: View = "frames",
        workers: int = 1,
        rollouts_dir: str = "runs/rollouts",
        batch_size: int = 100,
        **kwargs: Any,
    ) -> None:
        super().__init__(batch_size=batch_size, **kwargs)
        check_at_least_one(hold=hold, max_steps=max_steps, workers=workers)
        require_at_least(3, episodes=episodes)
        check_fractions_apart(val_fraction, test_fraction)
        if view not in ("frames", "actions"):
            raise UserError(f"view is {view!r}; it must be frames or actions")
        self.settings = RolloutSettings(
            env_id, env_kwargs or {}, tuple(wrappers), policy, hold, policy_mean, policy_spread, episodes, max_steps,
            self.seed,
        )  # fmt: skip
        self.fractions = {"val": val_fraction, "test": test_fraction}
        self.view: View = view
        self.workers, self.rollouts_dir = workers, Path(rollouts_dir)

    @property
    @override
    def class_names(self) -> list[str]:
        """No classes."""
        return []

    @override
    def prepare_data(self) -> None:
        """Play what is not there yet."""
        play_rollouts(self.settings, self.rollouts_dir, self.workers)

    @property
    def rollouts(self) -> Rollouts:
        """The episodes, which are played where they are not there yet."""
        return Rollouts(play_rollouts(self.settings, self.rollouts_dir, self.workers))

    def episodes_of(self, split: Literal["train", "val", "test"]) -> list[int]:
        """Return the numbers of the episodes of a split: the last ones are held out."""
        n = self.settings.episodes
        held = {name: max(1, round(n * part)) if part else 0 for name, part in self.fractions.items()}
        ends = {"train": n - held["val"] - held["test"], "val": n - held["test"], "test": n}
        starts = {"train": 0, "val": ends["train"], "test": ends["val"]}
        return list(range(starts[split], ends[split]))

    def make_set(self, split: Literal["train", "val", "test"]) -> Dataset[Any]:
        """Return the rows of a split."""
        rollouts = self.rollouts
        if rollouts.frames.ndim != 5 or rollouts.frames.dtype != np.uint8:
            kind = f"{rollouts.frames.dtype} {rollouts.frames.shape[2:]}"
            raise UserError(f"{self.settings.env_id} has observations {kind}, which are no frames (H, W, C) uint8")
        return FramesDataset(rollouts, self.episodes_of(split), self.view)

    @override
    def make_train_and_val(self) -> tuple[Any, Any]:
        return self.make_set("train"), self.make_set("val")

    @override
    def make_test(self) -> Any:
        return self.make_set("test")
