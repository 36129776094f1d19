"""Where a replay buffer keeps the observations of its transitions."""

from math import prod
from typing import Any, Protocol

import torch
from torch import Tensor

from dlmodules.errors import UserError

# From so many bytes of an observation on, what two transitions share is stored once. Looking for it takes about
# 0.1 ms a step of all environments, which small observations are not worth.
SHARED_FROM_BYTES = 1024


class ObservationStore(Protocol):
    """Observations before and after each transition, by the place of the transition."""

    def put(self, places: Tensor, observation: Tensor, next_observation: Tensor) -> None:
        """Store observations ``(N, ...)`` and those that followed at ``places`` ``(N,)``, over what was there."""
        ...

    def get(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Return the observations ``(N, ...)`` at ``places``, and those that followed."""
        ...

    def state_dict(self, size: int) -> dict[str, Tensor]:
        """Return the first ``size`` places, as a copy."""
        ...

    def load_state_dict(self, state: dict[str, Any], size: int) -> None:
        """Take over what ``state_dict`` returned. Raises UserError for observations of another shape."""
        ...


def make_store(capacity: int, shape: tuple[int, ...], dtype: torch.dtype, stacked_frames: int) -> ObservationStore:
    """Return the store that suits observations of this size."""
    if prod(shape) * dtype.itemsize < SHARED_FROM_BYTES:
        return PairStore(capacity, shape, dtype)
    return FrameStore(capacity, shape, dtype, stacked_frames)


class PairStore:
    """Both observations of each transition, side by side: the fastest for small ones."""

    def __init__(self, capacity: int, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        self._before = torch.empty((capacity, *shape), dtype=dtype)
        self._after = torch.empty((capacity, *shape), dtype=dtype)

    def put(self, places: Tensor, observation: Tensor, next_observation: Tensor) -> None:
        """Store both."""
        self._before.index_copy_(0, places, observation)
        self._after.index_copy_(0, places, next_observation)

    def get(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Return both."""
        return self._before.index_select(0, places), self._after.index_select(0, places)

    def state_dict(self, size: int) -> dict[str, Tensor]:
        """Return the first ``size`` of both."""
        return {"observation": self._before[:size].clone(), "next_observation": self._after[:size].clone()}

    def load_state_dict(self, state: dict[str, Any], size: int) -> None:
        """Take over both. Raises UserError for another shape."""
        _require_shape(state["observation"].shape[1:], self._before.shape[1:])
        self._before[:size] = state["observation"]
        self._after[:size] = state["next_observation"]


class FrameStore:
    """Each frame once, however many observations show it.

    An observation is a stack of frames, or one frame. What a step ends with is what the next step begins with, and a
    stack differs from the one before it by its newest frame alone, so a step of a running episode adds one frame. An
    episode adds its last observation, which nothing follows, and its first stack. Whether two frames are the same is
    seen by comparing them, so what is returned is exact for any number of environments, in any order.

    Args:
        capacity: number of places.
        shape: shape of an observation; ``(K, ...)`` for a stack.
        dtype: of an observation.
        stacked_frames: K; 1 takes an observation as one frame.
    """

    def __init__(self, capacity: int, shape: tuple[int, ...], dtype: torch.dtype, stacked_frames: int = 1) -> None:
        self.capacity = capacity
        self.shape = tuple(shape)
        self.dtype = dtype
        self.stacked_frames = stacked_frames
        self._reserve()

    def _reserve(self) -> None:
        frame_shape = self.shape[1:] if self.stacked_frames > 1 else self.shape
        # Memory that is never written to is never taken from the system, so an eighth more costs nothing.
        size = self.capacity + self.capacity // 8 + 64
        self._frames = torch.empty((size, *frame_shape), dtype=self.dtype)
        self._uses = torch.zeros(size, dtype=torch.int32)
        self._free = torch.arange(size - 1, -1, -1)  # a stack of rows, of which the first ``_num_free`` count
        self._num_free = size
        # Of each place the frames before (0) and after (1); -1 where there is no transition yet.
        self._rows = torch.full((self.capacity, 2, self.stacked_frames), -1, dtype=torch.int32)
        self._newest = torch.empty(0, dtype=torch.int64)  # the places that the last step wrote

    @property
    def num_frames(self) -> int:
        """How many frames are stored."""
        return len(self._free) - self._num_free

    def put(self, places: Tensor, observation: Tensor, next_observation: Tensor) -> None:
        """Store both, and only the frames that are new."""
        before, after = self._as_frames(observation), self._as_frames(next_observation)
        rows = torch.full((len(places), 2, self.stacked_frames), -1)
        if len(places) == len(self._newest):  # the step before, of as many environments
            known = self._rows[self._newest, 1].long()
            rows[:, 0] = torch.where(_same(self._as_frames(self._observations(known)), before), known, -1)
        self._add_missing(rows[:, 0], before)
        if self.stacked_frames > 1:
            repeated = _same(after[:, :-1], before[:, 1:])
            rows[:, 1, :-1] = torch.where(repeated, rows[:, 0, 1:], -1)
        self._add_missing(rows[:, 1], after)
        # What is shared is taken before it is given back, so that it is never free in between.
        self._use(rows.flatten(), 1)
        overwritten = self._rows[places].flatten().long()
        self._release(overwritten[overwritten >= 0])
        self._rows[places] = rows.int()
        self._newest = places.clone()

    def get(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Put both together from their frames."""
        before, after = self._rows[places].long().unbind(1)
        return self._observations(before), self._observations(after)

    def _observations(self, rows: Tensor) -> Tensor:
        return self._frames.index_select(0, rows.flatten()).reshape(-1, *self.shape)

    def _as_frames(self, observation: Tensor) -> Tensor:
        return observation.contiguous().reshape(-1, self.stacked_frames, *self._frames.shape[1:])

    def _add_missing(self, rows: Tensor, frames: Tensor) -> None:
        """Store those of ``frames`` (N, K, ...) whose ``rows`` (N, K) are -1, and say there where they are."""
        missing = rows < 0
        count = int(missing.sum())
        while self._num_free < count:
            self._grow()
        self._num_free -= count
        added = self._free[self._num_free : self._num_free + count]
        self._frames.index_copy_(0, added, frames[missing])
        rows[missing] = added

    def _grow(self) -> None:
        """Make room for half as many frames again: episodes are short, and end in many last observations."""
        size = len(self._frames)
        more = size // 2
        self._frames = torch.cat([self._frames, self._frames.new_empty((more, *self._frames.shape[1:]))])
        self._uses = torch.cat([self._uses, self._uses.new_zeros(more)])
        self._free = torch.cat([torch.arange(size + more - 1, size - 1, -1), self._free])
        self._num_free += more

    def _use(self, rows: Tensor, number: int) -> None:
        self._uses.index_add_(0, rows, torch.full_like(rows, number, dtype=torch.int32))

    def _release(self, rows: Tensor) -> None:
        self._use(rows, -1)
        freed = torch.unique(rows[self._uses[rows] == 0])
        self._free[self._num_free : self._num_free + len(freed)] = freed
        self._num_free += len(freed)

    def state_dict(self, size: int) -> dict[str, Tensor]:
        """Return the frames in use, which of them the first ``size`` places show, and which places are the newest."""
        used, numbers = torch.unique(self._rows[:size].flatten(), return_inverse=True)
        # Numbered by their first use: where they happened to lie must not make two equal stores differ.
        first = torch.full((len(used),), numbers.numel()).scatter_reduce_(
            0, numbers, torch.arange(numbers.numel()), "amin"
        )
        order = first.argsort()
        rank = torch.empty_like(order)
        rank[order] = torch.arange(len(order))
        return {
            "frames": self._frames[used[order].long()],
            "rows": rank[numbers].int().reshape(size, 2, self.stacked_frames),
            "newest": self._newest.clone(),
        }

    def load_state_dict(self, state: dict[str, Any], size: int) -> None:
        """Take over what ``state_dict`` returned, or the pairs of an earlier version. Raises UserError."""
        self._reserve()
        if "next_observation" in state:
            _require_shape(state["observation"].shape[1:], self.shape)
            self.put(torch.arange(size), state["observation"], state["next_observation"])
            return
        frames, rows = state["frames"], state["rows"]
        stacked = rows.shape[2]
        _require_shape((stacked, *frames.shape[1:]) if stacked > 1 else frames.shape[1:], self.shape)
        if stacked != self.stacked_frames:
            raise UserError(
                f"the checkpoint's observations are stacks of {stacked} frames, not of {self.stacked_frames}:"
                " resume with the same wrappers"
            )
        while len(self._frames) < len(frames):
            self._grow()
        self._frames[: len(frames)] = frames
        self._rows[:size] = rows
        self._use(rows.flatten().long(), 1)
        self._free = torch.cat([torch.arange(len(self._frames) - 1, len(frames) - 1, -1), torch.arange(len(frames))])
        self._num_free = len(self._frames) - len(frames)
        self._newest = state["newest"].clone()


def _same(frames: Tensor, others: Tensor) -> Tensor:
    """Return ``(N, K)`` bool: which frames ``(N, K, ...)``, each contiguous, are the same to the bit.

    0.0 equals -0.0, and what is not a number equals nothing, but their bits say otherwise. They are compared as the
    largest integers that frames divide into, which is fastest.
    """
    first, second = (tensor.reshape(*tensor.shape[:2], -1) for tensor in (frames, others))
    numbers = (first.shape[2], first.storage_offset(), second.storage_offset())
    integers = (torch.int64, torch.int32, torch.int16, torch.uint8)
    fits = (one for one in integers if all(n * frames.dtype.itemsize % one.itemsize == 0 for n in numbers))
    integer = next(fits)
    return (first.view(integer) == second.view(integer)).all(2)


def _require_shape(stored: tuple[int, ...], own: tuple[int, ...]) -> None:
    if tuple(stored) != tuple(own):
        raise UserError(f"the checkpoint holds observations of shape {tuple(stored)}, not {tuple(own)}")
