"""Environments whose values are known exactly, and small ones of every kind of space."""

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


class Bandit(gym.Env):
    """Two arms, one pull an episode: arm 1 pays 1 nine times in ten, arm 0 once in ten."""

    observation_space = gym.spaces.Discrete(1)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return 0, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return 0, float(self.np_random.random() < (0.1, 0.9)[int(action)]), True, False, {}


class Recall(gym.Env):
    """Shows 0 or 1 once, then nothing (2) for some steps; each step pays 1 for naming what was shown."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012 (Gymnasium's own form)
    observation_space = gym.spaces.Discrete(3)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.shown, self.left = int(self.np_random.integers(2)), int(self.np_random.integers(3, 12))
        return self.shown, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.left -= 1
        return 2, float({0: 0, 1: 1}[action] == self.shown), self.left == 0, False, {}

    def render(self) -> Any:
        return np.full((8, 8, 3), 100 * self.shown + self.left, np.uint8)


class Film(gym.Env):
    """A dot that goes left or right over a picture ``(40, 40)`` uint8, which may be one array again and again."""

    observation_space = gym.spaces.Box(0, 255, (40, 40), np.uint8)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, reuses_array: bool = False) -> None:
        self.reuses_array = reuses_array
        self.picture = np.zeros((40, 40), np.uint8)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.row, self.column = (int(number) for number in self.np_random.integers(5, 35, size=2))
        return self._draw(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.column += 1 if action == 1 else -1
        return self._draw(), float(action), self.column in (0, 39), False, {}

    def _draw(self) -> Any:
        self.picture[:] = 0
        self.picture[self.row, self.column] = 255
        return self.picture if self.reuses_array else self.picture.copy()


class Dials(gym.Env):
    """Three dials of 2, 3 and 4 positions; what one sees is where they stand."""

    observation_space = gym.spaces.Box(0.0, 3.0, (3,), np.float32)
    action_space = gym.spaces.MultiDiscrete([2, 3, 4])

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return np.zeros(3, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action)
        return action.astype(np.float32), float(action.sum()), False, False, {}


class Named(gym.Env):
    """Observations that are no array."""

    observation_space = gym.spaces.Dict({"a": gym.spaces.Discrete(2), "b": gym.spaces.Discrete(2)})
    action_space = gym.spaces.Discrete(2)


def register() -> None:
    """Make them known to Gymnasium, with time limits."""
    if "KnownCorridor-v0" in gym.registry:
        return
    gym.register("KnownCorridor-v0", entry_point=Corridor, max_episode_steps=20)
    gym.register("Treadmill-v0", entry_point=Treadmill, max_episode_steps=10)
    gym.register("Bandit-v0", entry_point=Bandit)
    gym.register("Recall-v0", entry_point=Recall)
    gym.register("Film-v0", entry_point=Film, max_episode_steps=9)
    gym.register("ReusedFilm-v0", entry_point=Film, max_episode_steps=9, kwargs={"reuses_array": True})
    gym.register("Dials-v0", entry_point=Dials, max_episode_steps=5)
    gym.register("Named-v0", entry_point=Named)
