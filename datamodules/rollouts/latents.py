"""Rollouts as series of codes: an encoder looks at each frame once."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from filelock import FileLock
from numpy.lib.format import open_memmap
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset
from typing_extensions import override

from datamodules.environments.making import make_env
from datamodules.rollouts.rollouts import RolloutsDataModule, frames_to_images
from datamodules.rollouts.store import Rollouts
from dlmodules.checkpoints.hashes import file_hash
from dlmodules.checkpoints.loading import load_module
from dlmodules.errors import UserError
from dlmodules.layers.untrained_encoder import UntrainedEncoder
from dlmodules.protocols import EncodesDistributions, LatentSeries
from dlmodules.validation.arguments import check_at_least_one

UNTRAINED = "untrained"
AT_ONCE = 250  # frames that are encoded together


class SeriesDataset(Dataset[LatentSeries]):
    """Windows of episodes as codes.

    Args:
        rollouts: the episodes.
        codes: means and log-variances ``(E, T + 1, D)`` of their frames.
        episodes: which of them.
        length: steps of a window; the last one of an episode may be shorter.
        num_actions: of numbered actions, which are made one-hot; None for actions of numbers.
    """

    def __init__(
        self, rollouts: Rollouts, codes: tuple[Any, Any], episodes: list[int], length: int, num_actions: int | None
    ) -> None:
        self.rollouts, self.codes, self.length, self.num_actions = rollouts, codes, length, num_actions
        self.windows = [(e, start) for e in episodes for start in range(0, int(rollouts.lengths[e]), length)]

    def __len__(self) -> int:
        return len(self.windows)

    @override
    def __getitem__(self, index: int) -> LatentSeries:
        return LatentSeries(*(field[0] for field in self.__getitems__([index])))

    def __getitems__(self, indices: list[int]) -> LatentSeries:
        """Return the windows, padded to the longest of them."""
        chosen = [self.windows[index] for index in indices]
        ends = [min(start + self.length, int(self.rollouts.lengths[e])) for e, start in chosen]
        longest = max(end - start for (_, start), end in zip(chosen, ends, strict=True))

        def padded(source: Any, more: int) -> Tensor:
            rows = np.zeros((len(chosen), longest + more, *source.shape[2:]), dtype=source.dtype)
            for row, ((e, start), end) in enumerate(zip(chosen, ends, strict=True)):
                rows[row, : end + more - start] = source[e, start : end + more]
            return torch.from_numpy(rows)

        action = padded(self.rollouts.actions, 0)
        if self.num_actions is not None:
            action = F.one_hot(action, self.num_actions)
        lengths = torch.tensor([end - start for (_, start), end in zip(chosen, ends, strict=True)])
        return LatentSeries(
            padded(self.codes[0], 1),
            padded(self.codes[1], 1),
            action.float(),
            padded(self.rollouts.rewards, 0),
            padded(self.rollouts.ended, 0).float(),
            (torch.arange(longest) < lengths[:, None]).float(),
        )


class LatentSeriesDataModule(RolloutsDataModule):
    """Rollouts as series of what an encoder makes of their frames, in batches of ``dlmodules.protocols.LatentSeries``.

    Means and log-variances lie beside the rollouts, under the content of the encoder's checkpoint: another encoder
    makes others. Who trains on them draws a code anew each time.

    Books: foster F8.5.

    Args:
        encoder: checkpoint of a VAE of the frames; ``untrained`` is a random projection, to compare and to try with.
        sequence_length: steps of a row, without which whole episodes are; a row begins with nothing remembered.
        batch_size: rows of a batch.
        **kwargs: of ``RolloutsDataModule``, all but ``view``.

    Raises:
        UserError: there is no encoder, it is of other frames, or it is none.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        **RolloutsDataModule.small_arguments,
        "env_id": "dlmodules/Dodge-v0",
        "env_kwargs": None,
        "policy": "random",
        "policy_mean": None,
        "policy_spread": None,
        "encoder": UNTRAINED,
        "batch_size": 2,
    }
    unit = "windows"

    def __init__(
        self, encoder: str | None = None, sequence_length: int | None = None, batch_size: int = 20, **kwargs: Any
    ) -> None:
        super().__init__(batch_size=batch_size, view="frames", **kwargs)
        check_at_least_one(sequence_length=sequence_length)
        self.encoder, self.sequence_length = encoder, sequence_length

    @override
    def prepare_data(self) -> None:
        """Play and encode what is not there yet."""
        self.codes_of(self.rollouts)

    def codes_of(self, rollouts: Rollouts) -> tuple[Any, Any]:
        """Return means and log-variances ``(E, T + 1, D)`` of all frames, made where they are not there yet."""
        if self.encoder is None:
            raise UserError("series of codes need a VAE of the frames: give its checkpoint as --data.encoder")
        name = UNTRAINED if self.encoder == UNTRAINED else file_hash(self.encoder)[:16]
        folder = rollouts.folder / f"codes-{name}"
        with FileLock(f"{folder}.lock"):
            if not folder.is_dir():
                encode_rollouts(rollouts, self.encoder, folder)
        return np.load(folder / "mean.npy", mmap_mode="r"), np.load(folder / "log_var.npy", mmap_mode="r")

    @override
    def make_set(self, split: Literal["train", "val", "test"]) -> SeriesDataset:
        rollouts = self.rollouts
        number = None
        if rollouts.actions.dtype == np.int64:
            number = int(self._action_space().n)
        length = self.sequence_length or self.settings.max_steps
        return SeriesDataset(rollouts, self.codes_of(rollouts), self.episodes_of(split), length, number)

    def start_codes(self) -> tuple[Tensor, Tensor]:
        """Return means and log-variances ``(S, D)`` of the codes of the training episodes' first frames."""
        episodes = self.episodes_of("train")
        mean, log_var = (torch.from_numpy(np.array(codes[episodes, 0])) for codes in self.codes_of(self.rollouts))
        return mean, log_var

    def action_bounds(self) -> tuple[Tensor, Tensor] | None:
        """Return the lowest and highest value ``(A,)`` of each number of an action; None for numbered actions."""
        space = self._action_space()
        if not hasattr(space, "low"):
            return None
        return torch.from_numpy(space.low), torch.from_numpy(space.high)

    def _action_space(self) -> Any:
        env = make_env(self.settings.env_id, self.settings.env_kwargs, self.settings.wrappers)
        env.close()
        return env.action_space


@torch.no_grad()
def encode_rollouts(rollouts: Rollouts, encoder: str, folder: Path) -> None:
    """Write means and log-variances of all frames of ``rollouts`` into ``folder``, by the VAE of a checkpoint.

    Raises:
        UserError: it is none, or of other frames.
    """
    height, width, channels = rollouts.frames.shape[2:]
    module: Any = UntrainedEncoder((channels, height, width)) if encoder == UNTRAINED else load_module(encoder)
    if not isinstance(module, EncodesDistributions):
        raise UserError(f"{encoder} is of {type(module).__name__}, which has no distribution of codes: take a VAE")
    if tuple(module.image_shape) != (channels, height, width):
        raise UserError(
            f"{encoder} encodes images of {list(module.image_shape)}, and the rollouts' are {[channels, height, width]}"
        )
    part = folder.with_suffix(".part")
    part.mkdir(exist_ok=True)
    shape = (*rollouts.frames.shape[:2], module.latent_dim)
    files = [open_memmap(part / f"{name}.npy", "w+", np.float32, shape) for name in ("mean", "log_var")]
    for episode, length in enumerate(rollouts.lengths.tolist()):
        for start in range(0, length + 1, AT_ONCE):
            end = min(start + AT_ONCE, length + 1)
            for file, codes in zip(
                files, module.posterior(frames_to_images(rollouts.frames[episode, start:end])), strict=True
            ):
                file[episode, start:end] = codes.numpy()
    for file in files:
        file.flush()
    os.replace(part, folder)
