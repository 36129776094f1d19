"""An environment whose position inside an episode can be saved and restored without pickling it."""

from typing import Any

import gymnasium as gym
import numpy as np
from typing_extensions import override

# Seeds are drawn from three disjoint ranges, so no training episode starts like a held-out one.
# They stay below 2**31, which every environment accepts.
SEED_RANGES = {"val": (0, 2**29), "test": (2**29, 2**30), "train": (2**30, 2**31)}


def episode_seed(split: str, *keys: int) -> int:
    """Return the seed of an episode of ``split`` (``train``, ``val`` or ``test``), spread evenly by keys."""
    low, high = SEED_RANGES[split]
    return low + int(np.random.SeedSequence(keys).generate_state(1, np.uint64)[0]) % (high - low)


class ReplayableEnv(gym.Wrapper):
    """Seed every episode anew and remember its actions, so that playing them again restores it exactly.

    This is the outermost wrapper: everything below, wrappers included, is a deterministic function of
    the episode's seed and actions. What an inner wrapper carries from one episode to the next (running
    means, for example) is not restored.

    Args:
        env: the environment.
        seed: seed of the run.
        index: number of this environment among its siblings, which get other episodes.
    """

    def __init__(self, env: gym.Env[Any, Any], seed: int, index: int) -> None:
        super().__init__(env)
        self._keys = (seed, index)
        self._episode = 0
        self._seed = 0
        self._actions: list[Any] = []
        self._observation: Any = None

    @override
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start the next episode, from its own seed unless one is given."""
        self._seed = episode_seed("train", *self._keys, self._episode) if seed is None else seed
        self._episode += 1
        self._actions = []
        self._observation, info = self.env.reset(seed=self._seed, options=options)
        return self._observation, info

    @override
    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Do one step and remember the action."""
        self._actions.append(np.array(action))
        observation, reward, terminated, truncated, info = self.env.step(action)
        if terminated or truncated:
            # The reset that follows in the same step may write into the array that the environment handed out.
            observation = np.array(observation)
        self._observation = observation
        return observation, reward, bool(terminated), bool(truncated), info

    @property
    def last_observation(self) -> Any:
        """The observation that the last ``reset`` or ``step`` returned."""
        return self._observation

    @property
    def episode_state(self) -> dict[str, Any]:
        """Where the environment stands; assign it to go back there."""
        actions = np.stack(self._actions) if self._actions else None
        return {"episode": self._episode, "seed": self._seed, "actions": actions}

    @episode_state.setter
    def episode_state(self, state: dict[str, Any]) -> None:
        self.reset(seed=state["seed"])
        self._episode = state["episode"]
        if state["actions"] is not None:
            for action in state["actions"]:
                self.step(action)
