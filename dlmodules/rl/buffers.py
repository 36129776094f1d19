"""The replay buffer of past transitions."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dlmodules.checkpoints.replay_segments import Segment, read_segments
from dlmodules.errors import UserError
from dlmodules.protocols import Transition
from dlmodules.rl.observations import make_store

# Columns of the state that are none of ``Transition.info``.
REQUIRED = ("action", "reward", "terminated", "truncated")


class ReplayBuffer:
    """The last ``capacity`` transitions, in preallocated memory; the oldest are overwritten.

    Shape and dtype of actions, and what ``info`` holds, are those of the first transitions that are added. Large
    observations, such as pictures, are stored once, whatever number of transitions they belong to.

    Args:
        capacity: how many transitions it holds.
        observation_shape: shape of one observation; ``()`` for a number.
        observation_dtype: ``torch.float32``, ``torch.uint8`` for pictures, ``torch.int64`` for discrete observations.
        stacked_frames: how many frames a large observation stacks along its first axis, of which a step adds one;
            with 1 an observation is stored as a whole.
    """

    def __init__(
        self,
        capacity: int,
        observation_shape: tuple[int, ...],
        observation_dtype: torch.dtype,
        stacked_frames: int = 1,
    ) -> None:
        self.capacity = capacity
        self.total = 0
        """How many transitions were ever added; transition k is, or was, at place ``k % capacity``."""
        self.written: dict[Path, list[Segment]] = {}
        self._observations = make_store(capacity, observation_shape, observation_dtype, stacked_frames)
        self._columns: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return min(self.total, self.capacity)

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        return self._observations.nbytes + sum(column.nbytes for column in self._columns.values())

    def add(self, transition: Transition) -> Tensor:
        """Store N transitions at once; N is at most ``capacity``. Returns their places ``(N,)``."""
        n = len(transition)
        if n > self.capacity:
            raise ValueError(f"{n} transitions do not fit into a buffer of {self.capacity}")
        columns = _columns(transition)
        if not self._columns:
            self._columns = {name: self._reserve(column) for name, column in columns.items()}
        places = self._places(self.total, self.total + n)
        self._observations.put(places, transition.observation, transition.next_observation)
        for name, stored in self._columns.items():
            stored.index_copy_(0, places, columns[name])
        self.total += n
        return places

    def _places(self, first: int, last: int) -> Tensor:
        """Return where the transitions ``first`` to ``last - 1`` are, or come to be."""
        return torch.arange(first, last) % self.capacity

    def sample(self, n: int, generator: torch.Generator | None = None) -> Transition:
        """Draw ``n`` stored transitions uniformly, with replacement."""
        return self.get(torch.randint(len(self), (n,), generator=generator))

    def get(self, places: Tensor) -> Transition:
        """Return the transitions at ``places`` ``(n,)``."""
        observation, next_observation = self._observations.get(places)
        columns = {name: stored.index_select(0, places) for name, stored in self._columns.items()}
        required = {name: columns.pop(name) for name in REQUIRED}
        info = {name.removeprefix("info."): column for name, column in columns.items()}
        return Transition(observation=observation, next_observation=next_observation, info=info, **required)

    def summary(self) -> dict[str, Any]:
        """Return the numbers in its state."""
        return {"capacity": self.capacity, "position": self.total % self.capacity}

    def state_dict(self) -> dict[str, Any]:
        """Return the filled part and the place where the next transition goes."""
        columns = {name: stored[: len(self)].clone() for name, stored in self._columns.items()}
        return {**self.summary(), **self._observations.state_dict(len(self)), **columns}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned, or what lies in segments beside a checkpoint.

        An earlier version did not keep ``truncated``; it is False for its transitions.

        Raises:
            UserError: it is of another capacity or environment, or a segment cannot be read.
        """
        if state["capacity"] != self.capacity:
            raise UserError(
                f"the checkpoint's replay buffer has a capacity of {state['capacity']}, not {self.capacity}:"
                f" resume with buffer_capacity={state['capacity']}"
            )
        if "segments" in state:
            self._load_segments(state["folder"], state["segments"])
            return
        columns = {name: value for name, value in state.items() if _is_column(name)}
        if columns and "truncated" not in columns:
            columns["truncated"] = torch.zeros_like(columns["terminated"])
        size = len(columns["reward"]) if columns else 0
        self._observations.load_state_dict(state, size)
        self.total = size if size < self.capacity else self.capacity + state["position"]
        self.written = {}
        self._columns = {name: self._reserve(column) for name, column in columns.items()}
        for name, column in columns.items():
            self._columns[name][:size] = column

    def record(self, first: int, last: int) -> dict[str, Tensor]:
        """Return the transitions ``first`` to ``last - 1``, for a segment."""
        places = self._places(first, last)
        columns = {name: stored[places] for name, stored in self._columns.items()}
        return {**columns, **self._observations.record(places)}

    def _load_segments(self, folder: Path, segments: list[Segment]) -> None:
        self.total = segments[-1].last
        self.written = {folder: segments}
        self._columns = {}
        self._observations.clear()
        for segment, record in read_segments(folder, segments):
            places = self._places(max(segment.first, self.total - self.capacity), segment.last)
            columns = {name: value for name, value in record.items() if _is_column(name)}
            if not self._columns:
                self._columns = {name: self._reserve(column) for name, column in columns.items()}
            for name, column in columns.items():
                self._columns[name][places] = column[-len(places) :]
            self._observations.restore(places, record)

    def _reserve(self, column: Tensor) -> Tensor:
        return torch.empty((self.capacity, *column.shape[1:]), dtype=column.dtype)


def _is_column(name: str) -> bool:
    return name in REQUIRED or name.startswith("info.")


def _columns(transition: Transition) -> dict[str, Tensor]:
    """Return all that is stored beside observations, by its name in the state."""
    info = {f"info.{name}": value for name, value in transition.info.items()}
    return {**{name: getattr(transition, name) for name in REQUIRED}, **info}
