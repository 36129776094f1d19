"""The training environments as one endless stream of transitions, with the books of its episodes."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning.utilities import rank_zero_warn

from dlmodules.errors import UserError

if TYPE_CHECKING:
    from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv

Array = NDArray[Any]


class EnvStep(NamedTuple):
    """One step of N environments.

    Attributes:
        reward: ``(N,)`` float32.
        next_observation: ``(N, ...)`` what the actions led to, an episode's last observation included.
        terminated: ``(N,)`` bool, the episode ended in a terminal state: no value follows.
        truncated: ``(N,)`` bool, the episode was cut, by a time limit for example: its value goes on.
    """

    reward: NDArray[np.float32]
    next_observation: Array
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]


class EnvironmentStream:
    """Step a vector environment that resets in the same step, and keep the returns of its episodes.

    Args:
        envs: a vector of ``ReplayableEnv`` in autoreset mode SAME_STEP that copies what it returns.
        window: how many finished episodes ``recent_returns`` and ``recent_lengths`` look back.

    Attributes:
        observation: ``(N, ...)`` what the agent sees now; already of the next episode where one ended.
        episodes: episodes finished so far.
    """

    def __init__(self, envs: "SyncVectorEnv[Any, Any] | AsyncVectorEnv[Any, Any]", window: int = 100) -> None:
        self.envs = envs
        self.num_envs: int = envs.num_envs
        self.observation: Array = envs.reset()[0]
        self.episodes = 0
        self.recent_returns: deque[float] = deque(maxlen=window)
        self.recent_lengths: deque[int] = deque(maxlen=window)
        self._returns = np.zeros(self.num_envs)
        self._lengths = np.zeros(self.num_envs, dtype=np.int64)

    def step(self, action: Array) -> EnvStep:
        """Do the actions ``(N, ...)``."""
        observation, reward, terminated, truncated, info = self.envs.step(action)
        self.observation = next_observation = observation
        self._returns += reward
        self._lengths += 1
        ended = terminated | truncated
        if ended.any():
            next_observation = next_observation.copy()
            for index in np.flatnonzero(ended):
                next_observation[index] = info["final_obs"][index]
                self._finish_episode(index)
        return EnvStep(reward.astype(np.float32), next_observation, terminated, truncated)

    def _finish_episode(self, index: np.intp) -> None:
        self.episodes += 1
        self.recent_returns.append(float(self._returns[index]))
        self.recent_lengths.append(int(self._lengths[index]))
        self._returns[index] = 0.0
        self._lengths[index] = 0

    def state_dict(self) -> dict[str, Any]:
        """Return where every environment stands, as plain values and tensors."""
        return {
            "envs": [_converted(state, torch.from_numpy) for state in self.envs.get_attr("episode_state")],
            "observation": torch.from_numpy(self.observation.copy()),
            "episodes": self.episodes,
            "recent_returns": list(self.recent_returns),
            "recent_lengths": list(self.recent_lengths),
            "returns": torch.from_numpy(self._returns.copy()),
            "lengths": torch.from_numpy(self._lengths.copy()),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Bring every environment back to where it stood, by playing its running episode again.

        Raises:
            UserError: the state is of another number of environments.
        """
        if len(state["envs"]) != self.num_envs:
            raise UserError(
                f"the checkpoint holds {len(state['envs'])} training environments, not {self.num_envs}:"
                f" resume with num_envs={len(state['envs'])}"
            )
        self.envs.set_attr("episode_state", [_converted(env, torch.Tensor.numpy) for env in state["envs"]])
        self.observation = state["observation"].numpy().copy()
        replayed = np.stack(self.envs.get_attr("last_observation"))
        if not np.array_equal(replayed, self.observation):
            rank_zero_warn(
                "the environment does not repeat itself from the same seed and actions, so this resumed run"
                " is not exactly the unbroken one (a wrapper with running statistics does that)"
            )
        self.episodes = state["episodes"]
        self.recent_returns.clear()
        self.recent_returns.extend(state["recent_returns"])
        self.recent_lengths.clear()
        self.recent_lengths.extend(state["recent_lengths"])
        self._returns = state["returns"].numpy().copy()
        self._lengths = state["lengths"].numpy().copy()

    def close(self) -> None:
        """End the environments."""
        self.envs.close()


def _converted(episode_state: dict[str, Any], convert: Callable[[Any], Any]) -> dict[str, Any]:
    actions = episode_state["actions"]
    return {**episode_state, "actions": None if actions is None else convert(actions)}
