"""What an agent learns from: one step of its environments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One step of N environments, or N steps drawn from a memory. Its fields go by name.

    Attributes:
        observation: ``(N, ...)`` what the agent saw; ``(N,)`` int64 where observations are numbered.
        action: ``(N, ...)`` what it did; ``(N,)`` int64 where actions are numbered.
        reward: ``(N,)`` float32.
        next_observation: ``(N, ...)`` what that led to, before any reset.
        terminated: ``(N,)`` bool: a terminal state, after which there is no value.
        truncated: ``(N,)`` bool: the episode was cut, by a time limit for example; its value goes on.
        info: what the agent's ``explore`` returned beside the action, each ``(N, ...)``: a log-probability, a value.
    """

    observation: Tensor
    action: Tensor
    reward: Tensor
    next_observation: Tensor
    terminated: Tensor
    truncated: Tensor
    info: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.reward)

    @property
    def ended(self) -> Tensor:
        """``(N,)`` bool: the episode ended here, one way or the other."""
        return self.terminated | self.truncated

    def to(self, device: torch.device) -> "Transition":
        """Return it on ``device``."""
        return self._each(lambda tensor: tensor.to(device))

    def split(self, size: int) -> list["Transition"]:
        """Cut it into batches of ``size``, without copying; the last one may be smaller."""
        starts = range(0, len(self), size)
        return [self._each(itemgetter(slice(start, start + size))) for start in starts]

    def _each(self, function: Callable[[Tensor], Tensor]) -> "Transition":
        return Transition(
            observation=function(self.observation),
            action=function(self.action),
            reward=function(self.reward),
            next_observation=function(self.next_observation),
            terminated=function(self.terminated),
            truncated=function(self.truncated),
            info={name: function(tensor) for name, tensor in self.info.items()},
        )
