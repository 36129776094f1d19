"""The base of the data modules of handwriting."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
from torch.utils.data import DistributedSampler
from typing_extensions import override

from datamodules.base.in_memory import InMemoryDataModule
from datamodules.base.length_batches import LengthSampler
from datamodules.base.sampling import shuffled
from datamodules.strokes.dataset import StrokeDataset
from datamodules.strokes.distortion import Distortion
from datamodules.strokes.drawings import Line
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.validation.arguments import check_at_least

Part = Literal["train", "val", "test"]


class StrokesDataModule(InMemoryDataModule[StrokeDataset, Batch]):
    """Base of the data modules of handwriting: batches ``(strokes, text)`` of lines, padded at their ends.

    Strokes are ``(B, T, 3)`` float32: at each point of the pen the offset x, y from the point before, x to the right
    and y upwards, and 1 where the pen is lifted after the point, else 0; behind a shorter line (0, 0, -1). A line's
    first offset is 0. Offsets are divided by the standard deviation of those of the training, x and y together, so
    that letters keep their shapes. Text is ``(B, L)`` int64: characters as their places in ``alphabet``, from 1 on,
    and 0 behind a shorter one. Training batches hold lines of similar length. A child implements ``read`` and
    ``alphabet``.

    Args:
        batch_size: lines of a batch, 1 or more.
        max_points: lines of more points are left out of training; None for none.
        distortion: each training line is turned, sheared and stretched at random, by a matrix whose numbers have this
            standard deviation, another one each time; 0 leaves it as it is.
        **kwargs: of ``InMemoryDataModule``, all but ``train_transform``.

    Raises:
        UserError: for a number out of range, and where no line is left to train on.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"batch_size": 4}
    unit = "lines"

    def __init__(
        self, batch_size: int = 32, max_points: int | None = None, distortion: float = 0.0, **kwargs: Any
    ) -> None:
        check_at_least(2, max_points=max_points)
        check_at_least(0, distortion=distortion)
        transform = Distortion(distortion) if distortion > 0 else None
        super().__init__(batch_size=batch_size, train_transform=transform, **kwargs)
        self.max_points = max_points
        self._train: list[Line] | None = None
        self._scale: float | None = None

    def read(self, part: Part) -> list[Line]:
        """Return the lines of a part, each of two points or more; nobody who writes in one writes in another."""
        raise NotImplementedError

    @property
    def alphabet(self) -> Sequence[str]:
        """The characters that the numbers from 1 on stand for."""
        raise NotImplementedError

    @property
    @override
    def class_names(self) -> list[str]:
        """No classes."""
        return []

    @property
    def scale(self) -> float:
        """The standard deviation of the training's offsets, in the unit of the data."""
        if self._scale is None:
            steps = [np.diff(np.concatenate(line.strokes), axis=0) for line in self._training_lines()]
            self._scale = float(np.concatenate(steps).std())
        return self._scale

    def _training_lines(self) -> list[Line]:
        if self._train is None:
            lines = self.read("train")
            if self.max_points is not None:
                lines = [line for line in lines if sum(map(len, line.strokes)) <= self.max_points]
            if not lines:
                raise UserError(f"{type(self).__name__} has no lines to train on; max_points is {self.max_points}")
            self._train = lines
        return self._train

    @override
    def make_train_and_val(self) -> tuple[StrokeDataset, StrokeDataset]:
        train, val = (StrokeDataset(lines, self.scale) for lines in (self._training_lines(), self.read("val")))
        return train, val

    @override
    def make_test(self) -> StrokeDataset:
        return StrokeDataset(self.read("test"), self.scale)

    @override
    def train_sampler(self, dataset: StrokeDataset) -> DistributedSampler[Any]:
        kind = partial(LengthSampler, lengths=dataset.lengths.numpy(), batch_size=self.batch_size)
        return shuffled(dataset, self.seed, self.drop_last, kind)
