"""One environment as a vector of one, without what Gymnasium's vectors spend on a step."""

from typing import Any

import numpy as np


class SingleEnv:
    """A ``ReplayableEnv`` with the methods of a vector environment in autoreset mode SAME_STEP."""

    num_envs = 1

    def __init__(self, env: Any) -> None:
        from gymnasium.vector.utils import batch_space

        self.env = env
        self.action_space = batch_space(env.action_space, 1)
        self._dtype = env.observation_space.dtype

    def reset(self) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset()
        return self._row(observation), info

    def step(self, action: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Do the one action of ``action`` ``(1, ...)``, and begin another episode where it ended one."""
        observation, reward, terminated, truncated, _ = self.env.step(action[0])
        info = {}
        if terminated or truncated:
            info["final_obs"] = [observation]
            observation, _ = self.env.reset()
        ended = np.array([[terminated], [truncated]])
        return self._row(observation), np.array([reward], dtype=np.float64), ended[0], ended[1], info

    def _row(self, observation: Any) -> Any:
        # A copy: an environment may write into the array that it handed out.
        return np.array(observation, dtype=self._dtype)[None]

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """Return what the environment, or one that it wraps, has under ``name``."""
        return (self.env.get_wrapper_attr(name),)

    def set_attr(self, name: str, values: list[Any]) -> None:
        """Give it the one value of ``values``."""
        setattr(self.env, name, values[0])

    def close(self) -> None:
        """End it."""
        self.env.close()
