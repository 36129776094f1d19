"""Two environments whose action values are known exactly."""

from typing import Any

import gymnasium as gym
import numpy as np


class Corridor(gym.Env):
    """Cells 0..4 in a row; action 1 goes right, 0 left; the last cell pays 1 and ends the episode."""

    def __init__(self, cells: int = 5) -> None:
        self.observation_space = gym.spaces.Box(0.0, 1.0, (cells,), np.float32)
        self.action_space = gym.spaces.Discrete(2)
        self.cells = cells
        self.cell = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.cell = int(self.np_random.integers(self.cells - 1))
        return self._observation(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.cell = max(0, self.cell + (1 if action == 1 else -1))
        end = self.cell == self.cells - 1
        return self._observation(), float(end), end, False, {}

    def _observation(self) -> Any:
        return np.eye(self.cells, dtype=np.float32)[self.cell]


class Treadmill(gym.Env):
    """One state for ever, which pays 1 a step; only a time limit cuts it. Observations are float64."""

    observation_space = gym.spaces.Box(0.0, 1.0, (3,), np.float64)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return np.ones(3), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return np.ones(3), 1.0, False, False, {}


def register() -> None:
    """Make them known to Gymnasium, with time limits of 20 and 10 steps."""
    gym.register("KnownCorridor-v0", entry_point=Corridor, max_episode_steps=20)
    gym.register("Treadmill-v0", entry_point=Treadmill, max_episode_steps=10)
