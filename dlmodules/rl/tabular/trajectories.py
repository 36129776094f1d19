"""The running episodes of several environments, kept until they end."""

from typing import Any

import numpy as np
import torch

from dlmodules.protocols.dynamics import Numbers, States


class Trajectories:
    """What was done in N running episodes, and what it paid.

    Args:
        num_envs: N.

    Attributes:
        lengths: ``(N,)`` int64: steps of each episode so far.
    """

    def __init__(self, num_envs: int) -> None:
        self.lengths: States = np.zeros(num_envs, dtype=np.int64)
        self._lanes = np.arange(num_envs)
        self._places: States = np.zeros((num_envs, 64), dtype=np.int64)
        self._rewards: Numbers = np.zeros((num_envs, 64))

    def append(self, place: Any, reward: Any) -> None:
        """Add one step of every episode.

        Args:
            place: ``(N,)`` int64: the entry of a flat table that the step is of.
            reward: ``(N,)``.
        """
        if self.lengths.max() == self._places.shape[1]:
            self._places = np.hstack([self._places, np.zeros_like(self._places)])
            self._rewards = np.hstack([self._rewards, np.zeros_like(self._rewards)])
        self._places[self._lanes, self.lengths] = place
        self._rewards[self._lanes, self.lengths] = reward
        self.lengths += 1

    def end(self, lane: int) -> tuple[States, Numbers]:
        """Return the places and rewards ``(T,)`` of an episode that has ended, and begin another one in its place."""
        length = self.lengths[lane]
        self.lengths[lane] = 0
        return self._places[lane, :length].copy(), self._rewards[lane, :length].copy()

    def state_dict(self) -> dict[str, Any]:
        """Return the running episodes as tensors."""
        longest = int(self.lengths.max())
        return {
            "lengths": torch.from_numpy(self.lengths.copy()),
            "places": torch.from_numpy(self._places[:, :longest].copy()),
            "rewards": torch.from_numpy(self._rewards[:, :longest].copy()),
        }

    @classmethod
    def restored(cls, state: dict[str, Any]) -> "Trajectories":
        """Return those of which ``state_dict`` was taken."""
        lengths, places, rewards = (state[name].cpu().numpy() for name in ("lengths", "places", "rewards"))
        found = cls(len(lengths))
        found.lengths = lengths.copy()
        room = max(64, places.shape[1])
        found._places, found._rewards = np.zeros((len(lengths), room), dtype=np.int64), np.zeros((len(lengths), room))
        found._places[:, : places.shape[1]] = places
        found._rewards[:, : rewards.shape[1]] = rewards
        return found
