"""An environment of frames whose every number says which step it is of."""

from typing import Any

import gymnasium as gym
import numpy as np

DIES_AT = 7


class Counting(gym.Env[Any, Any]):
    """Frame t is t everywhere; the action after it is paid t + 1, and the seventh one ends the episode.

    With ``dies`` false it is truncated there.
    """

    def __init__(self, dies: bool = True, size: int = 8) -> None:
        self.dies, self.size = dies, size
        self.observation_space = gym.spaces.Box(0, 255, (size, size, 1), np.uint8)
        self.action_space = gym.spaces.Discrete(3)

    def _frame(self) -> Any:
        return np.full((self.size, self.size, 1), self.t, np.uint8)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = 0
        return self._frame(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t += 1
        over = self.t == DIES_AT
        return self._frame(), float(self.t), over and self.dies, over and not self.dies, {}


gym.register("CountingFrames-v0", Counting)
