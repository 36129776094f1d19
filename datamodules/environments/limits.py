"""What the end of an episode by a time limit is taken for."""

from typing import Any

import gymnasium as gym


class TimeLimitIsFailure(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Every episode ends in a terminal state of the same reward, those that the time limit cuts too (vasilev 8.18).

    With it an agent takes a cut for a failure, and learns to dread it, though nothing in its observations tells of it.

    Args:
        env: the environment, with its time limit.
        reward: the last of an episode, in place of what the environment pays.
    """

    def __init__(self, env: "gym.Env[Any, Any]", reward: float = -1.0) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, reward=reward)
        super().__init__(env)
        self.reward = reward

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Do the action, and end in failure where the episode ends."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        if terminated or truncated:
            return observation, self.reward, True, False, info
        return observation, float(reward), False, False, info
