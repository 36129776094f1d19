"""Where a replay buffer keeps the observations of its transitions."""

from math import prod
from typing import Any, Protocol

import torch
from torch import Tensor

from dlmodules.rl.frames import FrameStore, require_shape

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

    @property
    def nbytes(self) -> int:
        """How much memory its observations take."""
        ...

    def record(self, places: Tensor) -> dict[str, Tensor]:
        """Return what is at ``places`` ``(N,)``, one after another, as a copy that needs no other record."""
        ...

    def clear(self) -> None:
        """Forget all."""
        ...

    def restore(self, places: Tensor, record: dict[str, Tensor]) -> None:
        """Put to ``places`` ``(N,)`` the last N of a record; records come back in the order in which they were made.

        Raises:
            UserError: observations have another shape.
        """
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
        require_shape(state["observation"].shape[1:], self._before.shape[1:])
        self._before[:size] = state["observation"]
        self._after[:size] = state["next_observation"]

    @property
    def nbytes(self) -> int:
        """All that was reserved."""
        return self._before.nbytes + self._after.nbytes

    def record(self, places: Tensor) -> dict[str, Tensor]:
        """Return both."""
        return {"observation": self._before[places], "next_observation": self._after[places]}

    def clear(self) -> None:
        """Nothing is to be forgotten: what was not put is not asked for."""

    def restore(self, places: Tensor, record: dict[str, Tensor]) -> None:
        """Put both."""
        require_shape(record["observation"].shape[1:], self._before.shape[1:])
        self.put(places, record["observation"][-len(places) :], record["next_observation"][-len(places) :])
