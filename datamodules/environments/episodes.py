"""What a stream of transitions knows of its episodes."""

from collections import deque
from typing import Any

import numpy as np
import torch


class CountsEpisodes:
    """Base of the streams: counts the episodes of N environments, and keeps the returns and lengths of the last ones.

    Args:
        num_envs: N.
        window: how many finished episodes ``recent_returns`` and ``recent_lengths`` look back.

    Attributes:
        episodes: episodes finished so far.
    """

    def __init__(self, num_envs: int, window: int = 100) -> None:
        self.num_envs = num_envs
        self.episodes = 0
        self.recent_returns: deque[float] = deque(maxlen=window)
        self.recent_lengths: deque[int] = deque(maxlen=window)
        self._returns = np.zeros(num_envs)
        self._lengths = np.zeros(num_envs, dtype=np.int64)

    def _count_step(self, reward: Any) -> None:
        """Add a step of all environments, with its rewards ``(N,)``."""
        self._returns += reward
        self._lengths += 1

    def _finish_episodes(self, lanes: Any) -> None:
        """Take note of the episodes that ended, in the environments of these numbers ``(K,)``."""
        self.episodes += len(lanes)
        self.recent_returns.extend(self._returns[lanes].tolist())
        self.recent_lengths.extend(self._lengths[lanes].tolist())
        self._returns[lanes] = 0.0
        self._lengths[lanes] = 0

    def _episodes_state(self) -> dict[str, Any]:
        """Return the counts as plain values and tensors."""
        return {
            "episodes": self.episodes,
            "recent_returns": list(self.recent_returns),
            "recent_lengths": list(self.recent_lengths),
            "returns": torch.from_numpy(self._returns.copy()),
            "lengths": torch.from_numpy(self._lengths.copy()),
        }

    def _load_episodes(self, state: dict[str, Any]) -> None:
        """Take over what ``_episodes_state`` returned."""
        self.episodes = state["episodes"]
        self.recent_returns.clear()
        self.recent_returns.extend(state["recent_returns"])
        self.recent_lengths.clear()
        self.recent_lengths.extend(state["recent_lengths"])
        self._returns = state["returns"].numpy().copy()
        self._lengths = state["lengths"].numpy().copy()
