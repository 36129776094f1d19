"""The replay buffer of past transitions."""

from typing import Any

import torch
from torch import Tensor

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
        self._size = 0
        self._position = 0
        self._observations = make_store(capacity, observation_shape, observation_dtype, stacked_frames)
        self._columns: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return self._size

    def add(self, transition: Transition) -> Tensor:
        """Store N transitions at once; N is at most ``capacity``. Returns their places ``(N,)``."""
        n = len(transition)
        if n > self.capacity:
            raise ValueError(f"{n} transitions do not fit into a buffer of {self.capacity}")
        columns = _columns(transition)
        if not self._columns:
            self._columns = {name: self._reserve(column) for name, column in columns.items()}
        places = torch.arange(self._position, self._position + n) % self.capacity
        self._observations.put(places, transition.observation, transition.next_observation)
        for name, stored in self._columns.items():
            stored.index_copy_(0, places, columns[name])
        self._position = (self._position + n) % self.capacity
        self._size = min(self._size + n, self.capacity)
        return places

    def sample(self, n: int, generator: torch.Generator | None = None) -> Transition:
        """Draw ``n`` stored transitions uniformly, with replacement."""
        return self.get(torch.randint(self._size, (n,), generator=generator))

    def get(self, places: Tensor) -> Transition:
        """Return the transitions at ``places`` ``(n,)``."""
        observation, next_observation = self._observations.get(places)
        columns = {name: stored.index_select(0, places) for name, stored in self._columns.items()}
        required = {name: columns.pop(name) for name in REQUIRED}
        info = {name.removeprefix("info."): column for name, column in columns.items()}
        return Transition(observation=observation, next_observation=next_observation, info=info, **required)

    def state_dict(self) -> dict[str, Any]:
        """Return the filled part and the place where the next transition goes."""
        columns = {name: stored[: self._size].clone() for name, stored in self._columns.items()}
        observations = self._observations.state_dict(self._size)
        return {"capacity": self.capacity, "position": self._position, **observations, **columns}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned. Raises UserError for another capacity or environment.

        An earlier version did not keep ``truncated``; it is False for its transitions.
        """
        if state["capacity"] != self.capacity:
            raise UserError(
                f"the checkpoint's replay buffer has a capacity of {state['capacity']}, not {self.capacity}:"
                f" resume with buffer_capacity={state['capacity']}"
            )
        columns = {name: value for name, value in state.items() if name in REQUIRED or name.startswith("info.")}
        if columns and "truncated" not in columns:
            columns["truncated"] = torch.zeros_like(columns["terminated"])
        size = len(columns["reward"]) if columns else 0
        self._observations.load_state_dict(state, size)
        self._size = size
        self._position = state["position"]
        self._columns = {name: self._reserve(column) for name, column in columns.items()}
        for name, column in columns.items():
            self._columns[name][:size] = column

    def _reserve(self, column: Tensor) -> Tensor:
        return torch.empty((self.capacity, *column.shape[1:]), dtype=column.dtype)


def _columns(transition: Transition) -> dict[str, Tensor]:
    """Return all that is stored beside observations, by its name in the state."""
    info = {f"info.{name}": value for name, value in transition.info.items()}
    return {**{name: getattr(transition, name) for name in REQUIRED}, **info}
