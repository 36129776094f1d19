"""The replay buffer of transitions over several steps."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from dlmodules.protocols import Transition
from dlmodules.rl.buffers import ReplayBuffer


class NStepReplay(ReplayBuffer):
    """Stores single steps, and joins up to ``n`` that followed one another where they are drawn.

    A joined transition leads from the observation of its first step to what the last one led to. Its reward is the
    discounted sum of theirs, and ``info["discount"]`` ``(B,)`` float32 is the discount of what follows: gamma to the
    power of the number of steps. It is shorter than ``n`` at the end of an episode, and at the end of what is stored:
    every step of an episode is the first step of a transition.

    Args:
        capacity: how many steps it holds.
        observation_shape: shape of one observation; ``()`` for a number.
        observation_dtype: see ``ReplayBuffer``.
        stacked_frames: see ``ReplayBuffer``.
        n: most steps of a transition, at least 1.
        gamma: discount in [0, 1].
    """

    def __init__(
        self,
        capacity: int,
        observation_shape: tuple[int, ...],
        observation_dtype: torch.dtype,
        stacked_frames: int = 1,
        n: int = 3,
        gamma: float = 0.99,
    ) -> None:
        super().__init__(capacity, observation_shape, observation_dtype, stacked_frames)
        self.n = n
        self.gamma = gamma
        self._lanes = 0

    @override
    def add(self, transition: Transition) -> Tensor:
        """Store a step of all environments, always of as many. Returns the places ``(N,)``."""
        if self._lanes not in (0, len(transition)):
            raise ValueError(f"{len(transition)} transitions after {self._lanes}: a step is one of all environments")
        self._lanes = len(transition)
        return super().add(transition)

    @override
    def get(self, places: Tensor) -> Transition:
        """Return the joined transitions that begin at ``places`` ``(n,)``."""
        reward, terminated, truncated = (self._columns[name] for name in ("reward", "terminated", "truncated"))
        last, total = places, reward[places].clone()
        discount = torch.full_like(total, self.gamma)
        for _ in range(self.n - 1):
            # The next step of the same environment lies as many places on as there are environments.
            is_stored = (self.total - 1 - last) % self.capacity >= self._lanes
            goes_on = is_stored & ~terminated[last] & ~truncated[last]
            last = torch.where(goes_on, (last + self._lanes) % self.capacity, last)
            total += torch.where(goes_on, discount * reward[last], 0.0)
            discount = torch.where(goes_on, discount * self.gamma, discount)
        first, final = super().get(places), super().get(last)
        return replace(
            first,
            reward=total,
            next_observation=final.next_observation,
            terminated=final.terminated,
            truncated=final.truncated,
            info={**first.info, "discount": discount},
        )

    @override
    def summary(self) -> dict[str, Any]:
        """Add the number of environments."""
        return {**super().summary(), "lanes": self._lanes}

    @override
    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self._lanes = state["lanes"]
