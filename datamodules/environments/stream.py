"""The training environments as one endless stream of transitions, with statistics of its episodes."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor

from datamodules.environments.episodes import CountsEpisodes
from datamodules.environments.single import SingleEnv
from dlmodules.errors import UserError
from dlmodules.protocols import StateStep, Transition

if TYPE_CHECKING:
    from gymnasium import Env
    from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv


class EnvironmentStream(CountsEpisodes):
    """Step a vector environment that resets in the same step, and keep the returns of its episodes.

    Args:
        envs: a vector of ``ReplayableEnv`` in autoreset mode SAME_STEP that copies what it returns.
        window: how many finished episodes ``recent_returns`` and ``recent_lengths`` look back.
    """

    def __init__(
        self, envs: "SyncVectorEnv[Any, Any] | AsyncVectorEnv[Any, Any] | SingleEnv", window: int = 100
    ) -> None:
        super().__init__(envs.num_envs, window)
        self.envs = envs
        self._seen: Any = envs.reset()[0]
        self._action_shape: tuple[int, ...] = tuple(envs.action_space.shape or ())
        self._action_dtype = torch.from_numpy(np.zeros(0, envs.action_space.dtype)).dtype

    def step(self, action: Tensor, info: Mapping[str, Tensor] | None = None) -> Transition:
        """Do the actions.

        Args:
            action: ``(N, ...)`` of the shape of the action space; cast to its dtype.
            info: what the agent wants to find in the transition.

        Raises:
            ValueError: the actions have another shape.
            UserError: a reward is not a finite number.
        """
        if action.shape != self._action_shape:
            raise ValueError(f"the actions have shape {tuple(action.shape)}, not {self._action_shape}")
        action = action.to(self._action_dtype)
        seen, reward, next_observation, terminated, truncated = self._step(action.numpy())
        return Transition(
            observation=torch.from_numpy(seen),
            action=action,
            reward=torch.from_numpy(reward.astype(np.float32)),
            next_observation=torch.from_numpy(next_observation),
            terminated=torch.from_numpy(terminated),
            truncated=torch.from_numpy(truncated),
            info=info or {},
        )

    @property
    def observation(self) -> Tensor:
        """``(N, ...)`` what the agent sees now; already of the next episode where one ended."""
        return torch.from_numpy(self._seen)

    @property
    def state(self) -> Any:
        """The same as ``(N,)`` int64 where observations are numbered, or as one number where N is 1."""
        return int(self._seen[0]) if self.num_envs == 1 else self._seen

    def expert_actions(self) -> Tensor:
        """Return what an expert would do now, ``(N, ...)``, as the environments say in ``expert_action``.

        Raises:
            UserError: they have no expert.
        """
        try:
            actions = self.envs.get_attr("expert_action")
        except AttributeError as error:
            raise UserError(
                "the training environments have no expert to learn from: set train_env_kwargs.expert for"
                " dlmodules/CarRacing-v0, or give an environment of your own an attribute expert_action"
            ) from error
        return torch.from_numpy(np.stack(actions)).to(self._action_dtype)

    def step_states(self, action: Any) -> StateStep:
        """Do the actions, ``(N,)`` or one number where N is 1, where observations are numbered."""
        if self.num_envs > 1:
            seen, reward, next_observation, terminated, truncated = self._step(action)
            return StateStep(seen, action, reward, next_observation, terminated, truncated)
        seen, reward, next_observation, terminated, truncated = self._step((action,))
        return StateStep(
            int(seen[0]), action, reward[0], int(next_observation[0]), bool(terminated[0]), bool(truncated[0])
        )

    def _step(self, action: Any) -> tuple[Any, Any, Any, Any, Any]:
        """Return what was seen, the reward, what that led to, and whether it ended; count the episodes.

        Raises:
            UserError: a reward is not a finite number.
        """
        seen = self._seen
        observation, reward, terminated, truncated, env_info = self.envs.step(action)
        next_observation = observation
        # One sum of squares is the fastest look at all of them. It may overflow, so a bad one is looked at again.
        if not isfinite(reward.dot(reward)) and not np.isfinite(reward).all():
            bad = float(reward[~np.isfinite(reward)][0])
            raise UserError(f"an environment paid a reward of {bad}: it must be a finite number; mend it, or wrap it")
        self._count_step(reward)
        ended = terminated | truncated
        if ended.any():
            next_observation = observation.copy()
            lanes = np.flatnonzero(ended)
            for lane in lanes:
                next_observation[lane] = env_info["final_obs"][lane]
            self._finish_episodes(lanes)
        self._seen = observation
        return seen, reward, next_observation, terminated, truncated

    def state_dict(self) -> dict[str, Any]:
        """Return where every environment stands, as plain values and tensors."""
        return {
            "envs": [_converted(state, torch.from_numpy) for state in self.envs.get_attr("episode_state")],
            "observation": self.observation.clone(),
            **self._episodes_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Bring every environment back to where it stood, by playing its running episode again.

        Raises:
            UserError: the state is of another number of environments, or of another vectorization.
        """
        if "envs" not in state:
            raise UserError(
                "the checkpoint's training environments were stepped in another way: resume with the same vectorization"
            )
        if len(state["envs"]) != self.num_envs:
            raise UserError(
                f"the checkpoint holds {len(state['envs'])} training environments, not {self.num_envs}:"
                f" resume with num_envs={len(state['envs'])}"
            )
        self.envs.set_attr("episode_state", [_converted(env, torch.Tensor.numpy) for env in state["envs"]])
        self._seen = state["observation"].numpy().copy()
        replayed = np.stack(self.envs.get_attr("last_observation"))
        if not np.array_equal(replayed, self._seen):
            rank_zero_warn(
                "the environment does not repeat itself from the same seed and actions, so this resumed run"
                " is not exactly the unbroken one (a wrapper with running statistics does that)"
            )
        self._load_episodes(state)

    def close(self) -> None:
        """End the environments."""
        self.envs.close()


def make_stream(
    make: "Callable[[], Env[Any, Any]]", seed: int, num_envs: int, vectorization: Literal["sync", "async"]
) -> EnvironmentStream:
    """Return a stream of ``num_envs`` environments of ``make``, seeded by ``seed``."""
    from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

    if num_envs == 1 and vectorization == "sync":
        return EnvironmentStream(SingleEnv(_make_replayable(make, seed, 0)))
    vectorize = SyncVectorEnv if vectorization == "sync" else AsyncVectorEnv
    makers: Sequence[Callable[[], Env[Any, Any]]] = [
        partial(_make_replayable, make, seed, index) for index in range(num_envs)
    ]
    return EnvironmentStream(vectorize(makers, autoreset_mode=AutoresetMode.SAME_STEP))


def _make_replayable(make: "Callable[[], Env[Any, Any]]", seed: int, index: int) -> "Env[Any, Any]":
    from datamodules.environments.replay import ReplayableEnv

    return ReplayableEnv(make(), seed, index)


def _converted(episode_state: dict[str, Any], convert: Callable[[Any], Any]) -> dict[str, Any]:
    actions = episode_state["actions"]
    return {**episode_state, "actions": None if actions is None else convert(actions)}
