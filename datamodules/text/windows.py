"""Windows of a running text as inputs and targets, and the orders in which training takes them."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset, DistributedSampler
from typing_extensions import override

from dlmodules.protocols import IGNORED, PAD, Batch

TokenArray = npt.NDArray[np.unsignedinteger[Any]]


class TokenWindows(Dataset[Batch]):
    """Windows of one long run of tokens, each named by the place where it starts.

    The targets are the inputs one token later. What lies behind the end of the run is padding,
    which is no target.

    Args:
        tokens: ``(N,)`` token ids, which may be mapped from a file.
        context: T, the length of a window.
    """

    def __init__(self, tokens: TokenArray, context: int) -> None:
        self.tokens = tokens
        self.context = context

    def __len__(self) -> int:
        """Return how many windows there are in which at least one token is to be predicted."""
        return max(len(self.tokens) - 1, 0)

    @override
    def __getitem__(self, index: int) -> Batch:
        """Return inputs and targets ``(T,)`` int64 of one window."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"window {index} of {len(self)}")
        inputs, targets = self.__getitems__([index % len(self)])
        return inputs[0], targets[0]

    def __getitems__(self, indices: Sequence[int] | Tensor) -> Batch:
        """Return inputs and targets ``(B, T)`` int64 of the windows that start at ``indices``."""
        return self.at(np.asarray(indices, dtype=np.int64))

    def at(self, starts: npt.NDArray[np.int64]) -> Batch:
        """Return inputs and targets ``(B, T)`` int64 of the windows that start at ``starts`` ``(B,)``."""
        places = starts[:, None] + np.arange(self.context + 1)
        window = np.asarray(self.tokens.take(places, mode="clip"), dtype=np.int64)
        behind = places >= len(self.tokens)
        x, y = np.where(behind, PAD, window)[:, :-1], np.where(behind, IGNORED, window)[:, 1:]
        return torch.from_numpy(x.copy()), torch.from_numpy(y.copy())


class OrderedWindows(TokenWindows):
    """Windows that follow on each other, in ``lanes``: row r of each batch goes on where that of the last ended.

    Together they hold every token but the first as a target once. With one lane they are in the order of the text.

    Args:
        tokens: ``(N,)`` token ids.
        context: T, the length of a window.
        lanes: how many rows a batch has.
        overlap: how many tokens a window has in common with the one before, which are no targets again.
    """

    def __init__(self, tokens: TokenArray, context: int, lanes: int = 1, overlap: int = 0) -> None:
        super().__init__(tokens, context)
        self.overlap, self.stride = overlap, context - overlap
        windows = -(-max(super().__len__() - overlap, 1) // self.stride) if super().__len__() else 0
        self.lanes = max(1, min(lanes, windows))
        self.lane_windows = -(-windows // self.lanes)

    def __len__(self) -> int:
        return self.lanes * self.lane_windows

    @override
    def __getitems__(self, indices: Sequence[int] | Tensor) -> Batch:
        rows = np.asarray(indices, dtype=np.int64)
        windows = rows % self.lanes * self.lane_windows + rows // self.lanes
        x, y = self.at(windows * self.stride)
        y[torch.from_numpy(windows > 0), : self.overlap] = IGNORED
        return x, y


class WindowSampler(DistributedSampler[Any]):
    """Starts of windows drawn at random anew in each epoch: a function of (seed, epoch) alone.

    Args:
        dataset: a ``TokenWindows``, of at least one whole window.
        windows: how many an epoch has, over all processes; by default those that hold each token once.
        **kwargs: of ``DistributedSampler``.
    """

    def __init__(self, dataset: TokenWindows, windows: int | None = None, **kwargs: Any) -> None:
        super().__init__(dataset, **kwargs)
        self.last_start = len(dataset) - dataset.context
        self.num_samples = max(1, (windows or len(dataset) // dataset.context) // self.num_replicas)

    def __len__(self) -> int:
        return self.num_samples

    @override
    def __iter__(self) -> Iterator[Any]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        drawn = torch.randint(self.last_start + 1, (self.num_samples, self.num_replicas), generator=generator)
        return iter(drawn[:, self.rank].tolist())


class LaneSampler(DistributedSampler[Any]):
    """Starts of windows that follow on each other, each row of the batches in its own part of the text.

    Each epoch begins at another place, up to a window later, so that windows are not cut alike in all epochs. The
    places are a function of (seed, epoch) alone. What is left at the end of a part is not used in the epoch.

    Args:
        dataset: a ``TokenWindows``, of at least one whole window for each row.
        batch_size: rows of a batch in each process.
        **kwargs: of ``DistributedSampler``.
    """

    def __init__(self, dataset: TokenWindows, batch_size: int, **kwargs: Any) -> None:
        super().__init__(dataset, **kwargs)
        self.batch_size = batch_size
        self.context = dataset.context
        self.lane = len(dataset) // (batch_size * self.num_replicas)
        # One window less where the place moves: all epochs have the same number of batches.
        self.steps = max(1, (self.lane - self.context) // self.context)

    def __len__(self) -> int:
        return self.steps * self.batch_size

    @override
    def __iter__(self) -> Iterator[Any]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        free = min(self.context, self.lane - self.steps * self.context)
        offset = int(torch.randint(free + 1, (), generator=generator))
        lanes = (self.rank * self.batch_size + np.arange(self.batch_size)) * self.lane
        windows = np.arange(self.steps) * self.context + offset
        return iter((windows[:, None] + lanes).ravel().tolist())
