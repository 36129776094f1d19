"""Frames of observations, each stored once."""

from typing import Any

import torch
from torch import Tensor

from dlmodules.errors import UserError


def require_shape(stored: tuple[int, ...], own: tuple[int, ...]) -> None:
    """Raise UserError where stored observations have another shape than those of the environment."""
    if tuple(stored) != tuple(own):
        raise UserError(f"the checkpoint holds observations of shape {tuple(stored)}, not {tuple(own)}")


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
        # Frames are numbered in the order in which they came, so that two records know their common ones.
        self._numbers = torch.zeros(size, dtype=torch.int64)
        self._next_number = 0

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
        self._numbers[added] = torch.arange(self._next_number, self._next_number + count)
        self._next_number += count
        rows[missing] = added

    def _grow(self) -> None:
        """Make room for half as many frames again: episodes are short, and end in many last observations."""
        size = len(self._frames)
        more = size // 2
        self._frames = torch.cat([self._frames, self._frames.new_empty((more, *self._frames.shape[1:]))])
        self._uses = torch.cat([self._uses, self._uses.new_zeros(more)])
        self._numbers = torch.cat([self._numbers, self._numbers.new_zeros(more)])
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
            require_shape(state["observation"].shape[1:], self.shape)
            self.put(torch.arange(size), state["observation"], state["next_observation"])
            return
        self._require_kind(state)
        frames, rows = state["frames"], state["rows"]
        while len(self._frames) < len(frames):
            self._grow()
        self._frames[: len(frames)] = frames
        self._numbers[: len(frames)] = torch.arange(len(frames))
        self._next_number = len(frames)
        self._rows[:size] = rows
        self._use(rows.flatten().long(), 1)
        self._free = torch.cat([torch.arange(len(self._frames) - 1, len(frames) - 1, -1), torch.arange(len(frames))])
        self._num_free = len(self._frames) - len(frames)
        self._newest = state["newest"].clone()

    @property
    def nbytes(self) -> int:
        """What its frames take."""
        return self.num_frames * self._frames[0].nbytes

    def record(self, places: Tensor) -> dict[str, Tensor]:
        """Return the frames at ``places`` with their numbers, and which of them each place shows."""
        used, rows = torch.unique(self._rows[places].long(), return_inverse=True)
        shown = {"frames": self._frames[used], "numbers": self._numbers[used], "rows": rows.int()}
        return {**shown, "newest": self._newest.clone()}

    def clear(self) -> None:
        """Give all frames back."""
        self._reserve()

    def restore(self, places: Tensor, record: dict[str, Tensor]) -> None:
        """Put back what is not here from the records before. Raises UserError for other observations."""
        self._require_kind(record)
        # Of a record that is partly overwritten not all frames are in use.
        used, rows = torch.unique(record["rows"][-len(places) :].long(), return_inverse=True)
        numbers = record["numbers"][used]
        known = self._uses.nonzero().squeeze(1)
        known = known[self._numbers[known].argsort()]
        found = torch.full((len(used), 1), -1)
        if len(known):
            nearest = known[torch.searchsorted(self._numbers[known], numbers).clamp(max=len(known) - 1)]
            found[:, 0] = torch.where(self._numbers[nearest] == numbers, nearest, -1)
        self._add_missing(found, record["frames"][used][:, None])
        self._numbers[found[:, 0]] = numbers
        self._next_number = max(self._next_number, int(record["numbers"].max()) + 1)
        self._rows[places] = found[rows, 0].int()
        self._use(found[rows, 0].flatten(), 1)
        self._newest = record["newest"].clone()

    def _require_kind(self, state: dict[str, Any]) -> None:
        """Raise UserError unless frames and stacks are such as here."""
        stacked, shape = state["rows"].shape[2], state["frames"].shape[1:]
        require_shape((stacked, *shape) if stacked > 1 else shape, self.shape)
        if stacked != self.stacked_frames:
            raise UserError(
                f"the checkpoint's observations are stacks of {stacked} frames, not of {self.stacked_frames}:"
                " resume with the same wrappers"
            )


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
