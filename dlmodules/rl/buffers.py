"""Memory of past transitions."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from dlmodules.errors import UserError


class Transitions(NamedTuple):
    """Transitions side by side.

    Attributes:
        observation: ``(B, ...)``.
        action: ``(B,)`` int64.
        reward: ``(B,)`` float32.
        next_observation: ``(B, ...)`` what the action led to, not yet reset where the episode ended.
        terminated: ``(B,)`` bool: a terminal state, after which there is no value. Not set by a time limit.
    """

    observation: Tensor
    action: Tensor
    reward: Tensor
    next_observation: Tensor
    terminated: Tensor

    def to(self, device: torch.device) -> "Transitions":
        """Return them on ``device``."""
        return Transitions(*(field.to(device) for field in self))

    def split(self, size: int) -> list["Transitions"]:
        """Cut them into batches of ``size``, without copying."""
        return [Transitions(*fields) for fields in zip(*(torch.split(field, size) for field in self), strict=True)]


class ReplayBuffer:
    """The last ``capacity`` transitions, in memory that is reserved once; the oldest are overwritten.

    Args:
        capacity: how many transitions it holds.
        observation_shape: shape of one observation.
        observation_dtype: ``torch.float32``, or ``torch.uint8`` for pictures.
    """

    def __init__(self, capacity: int, observation_shape: tuple[int, ...], observation_dtype: torch.dtype) -> None:
        self.capacity = capacity
        self._size = 0
        self._position = 0
        self._fields = Transitions(
            observation=torch.empty((capacity, *observation_shape), dtype=observation_dtype),
            action=torch.empty(capacity, dtype=torch.int64),
            reward=torch.empty(capacity, dtype=torch.float32),
            next_observation=torch.empty((capacity, *observation_shape), dtype=observation_dtype),
            terminated=torch.empty(capacity, dtype=torch.bool),
        )

    def __len__(self) -> int:
        return self._size

    def add(self, transitions: Transitions) -> None:
        """Store N transitions at once; N is at most ``capacity``."""
        n = len(transitions.reward)
        if n > self.capacity:
            raise ValueError(f"{n} transitions do not fit into a buffer of {self.capacity}")
        index = torch.arange(self._position, self._position + n) % self.capacity
        for stored, new in zip(self._fields, transitions, strict=True):
            stored[index] = new
        self._position = (self._position + n) % self.capacity
        self._size = min(self._size + n, self.capacity)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Transitions:
        """Draw ``n`` stored transitions uniformly, with replacement."""
        index = torch.randint(self._size, (n,), generator=generator)
        return Transitions(*(field[index] for field in self._fields))

    def state_dict(self) -> dict[str, Any]:
        """Return the filled part and the place where the next transition goes."""
        filled = {name: field[: self._size].clone() for name, field in self._fields._asdict().items()}
        return {"capacity": self.capacity, "position": self._position, **filled}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned. Raises UserError for another capacity or environment."""
        if state["capacity"] != self.capacity:
            raise UserError(
                f"the checkpoint's replay buffer has a capacity of {state['capacity']}, not {self.capacity}:"
                f" resume with buffer_capacity={state['capacity']}"
            )
        stored, own = state["observation"].shape[1:], self._fields.observation.shape[1:]
        if stored != own:
            raise UserError(f"the checkpoint holds observations of shape {tuple(stored)}, not {tuple(own)}")
        self._size = len(state["reward"])
        self._position = state["position"]
        for name, field in self._fields._asdict().items():
            field[: self._size] = state[name]
