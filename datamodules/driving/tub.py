"""Drives that a donkeycar recorded."""

import os
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
from pytorch_lightning import LightningDataModule
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor
from typing_extensions import override

from datamodules.base.in_memory import count_of
from datamodules.driving.frames import FramesDataModule, FramesDataset
from datamodules.driving.road_frames import RoadFramesDataModule
from datamodules.driving.tub_files import STEERING, TubFiles, entries_of, frame_of
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_amounts

FOLDER, ARCHIVE = "donkey_tub", "tub.tar.gz"
Corrupt = Literal["raise", "skip"]


class TubDataModule(FramesDataModule):
    """A drive in a tub, as donkeycar 4 writes it: frames of a camera, and how the driver steered.

    Batches are those of ``FramesDataModule``. The last frames are the test, and those before them the validation, each
    a stretch of time: frames of a moment are so alike that a random choice of them would test what was trained on.
    Records that the tub's manifest calls deleted are left out. Nothing is downloaded.

    Args:
        path: folder of the tub, which has a ``manifest.json``, or an archive of one, such as ``tub.tar.gz``, which is
            read as it is; ``donkey_tub`` in ``$DLMODULES_DATA`` or ``./data``, or the ``tub.tar.gz`` in it, where None.
        val_size: frames of validation, before those of the test: a number, or a fraction in (0, 1) of the frames that
            are not for the test; 0 for none.
        test_size: the last frames, for the test: a number, or a fraction in (0, 1) of all; 0 for none.
        steering: the field that is predicted: ``user/angle``, or ``pilot/angle`` of a drive that was driven by a model.
        on_corrupt: ``raise`` to stop at a record that cannot be read, lacks its frame or steers beyond [-1, 1];
            ``skip`` to leave such out and warn.
        **kwargs: of ``FramesDataModule``.

    Raises:
        UserError: for a number out of range, and where the tub is missing, damaged or too short.
    """

    def __init__(
        self,
        path: str | None = None,
        *,
        val_size: int | float = 100,
        test_size: int | float = 200,
        steering: str = STEERING,
        on_corrupt: Corrupt = "raise",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_amounts(self.unit, val_size=val_size, test_size=test_size)
        if on_corrupt not in ("raise", "skip"):
            raise UserError(f"on_corrupt is {on_corrupt!r}; it must be raise or skip")
        self.path = path
        self.val_size, self.test_size = val_size, test_size
        self.steering = steering
        self.on_corrupt = on_corrupt

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give drawn roads."""
        return RoadFramesDataModule

    @property
    def place(self) -> Path:
        """The folder or the archive of the tub. Raises UserError where there is none."""
        if self.path is not None:
            return Path(self.path).expanduser()
        folder = Path(os.path.expanduser(os.environ.get("DLMODULES_DATA") or "data")) / FOLDER
        place = folder if (folder / "manifest.json").is_file() else folder / ARCHIVE
        if not place.exists():
            raise UserError(
                f"there is no tub in {folder}: put a tub's manifest.json, catalogs and images, or an archive"
                f" {ARCHIVE} of it, there, name it with path, or use RoadFramesDataModule, which needs no files"
            )
        return place

    @cached_property
    def frames(self) -> tuple[Tensor, Tensor]:
        """All frames ``(N, 3, H, W)`` uint8 in the order of time, and their steering ``(N,)`` float32."""
        tub = TubFiles(self.place)
        frames: list[Any] = []
        steering: list[float] = []
        problems: list[str] = []

        def complain(problem: str) -> None:
            if self.on_corrupt == "raise":
                raise UserError(f"{problem}; repair or remove it, or set on_corrupt to skip")
            problems.append(problem)

        for entry in entries_of(tub, self.steering, complain):
            try:
                frame = frame_of(tub, entry)
            except UserError as error:
                complain(str(error))
                continue
            if frames and frame.shape != frames[0].shape:
                sizes = [f"{part.shape[2]} x {part.shape[1]}" for part in (frame, frames[0])]
                complain(f"{tub.path}, images/{entry.frame} has {sizes[0]} pixels; others have {sizes[1]}")
                continue
            frames.append(frame)
            steering.append(entry.steering)
        if not frames:
            raise UserError(f"{tub.path} has no frames{f' that can be used: {problems[0]}' if problems else ''}")
        if problems:
            rank_zero_warn(f"{len(problems)} records of {tub.path} are left out; the first: {problems[0]}")
        return torch.stack(frames), torch.tensor(steering, dtype=torch.float32)

    def blocks(self) -> dict[str, slice]:
        """Return which of ``frames`` are for train, val and test. Raises UserError where none are left to train on."""
        n = len(self.frames[0])
        train_and_val = n - count_of(n, self.test_size)
        train = train_and_val - count_of(max(train_and_val, 0), self.val_size)
        if train < 1:
            raise UserError(
                f"test_size={self.test_size} and val_size={self.val_size} leave none of the {n} frames of {self.place}"
                " to train on"
            )
        return {"train": slice(train), "val": slice(train, train_and_val), "test": slice(train_and_val, n)}

    def _block(self, name: str) -> FramesDataset:
        rows = self.blocks()[name]
        frames, steering = self.frames
        return FramesDataset(frames[rows], steering[rows])

    @override
    def make_train_and_val(self) -> tuple[FramesDataset, FramesDataset]:
        return self._block("train"), self._block("val")

    @override
    def make_test(self) -> FramesDataset:
        return self._block("test")
