"""Training environments drawn straight from the probabilities of a finite Markov decision process."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from datamodules.environments.episodes import CountsEpisodes
from datamodules.environments.replay import episode_seed
from dlmodules.errors import UserError
from dlmodules.protocols import Dynamics, StateStep, Transition


class TableStream(CountsEpisodes):
    """N episodes of a finite Markov decision process side by side, each step drawn from its table at once.

    What it needs to resume is where the episodes stand and its generator: no episode is played again.

    Args:
        dynamics: the process.
        seed: of the run.
        num_envs: N.
        exploring_starts: begin episodes in every state that is not terminal with the same probability.
        window: how many finished episodes ``recent_returns`` and ``recent_lengths`` look back.
    """

    def __init__(
        self, dynamics: Dynamics, seed: int, num_envs: int, exploring_starts: bool = False, window: int = 100
    ) -> None:
        super().__init__(num_envs, window)
        self.num_actions = dynamics.num_actions
        self.max_steps = dynamics.max_steps
        places = dynamics.num_states * dynamics.num_actions
        self._outcomes = dynamics.probability.shape[2]
        # Outcomes of all places, a place being an action in a state, stand on one line: those of place p between p and
        # p + 1, so that one search finds which. The last of a place takes what rounding leaves over.
        bounds = dynamics.probability.reshape(places, self._outcomes).cumsum(1).clamp(max=1.0)
        bounds[:, -1] = 1.0
        self._bounds = (torch.arange(places)[:, None] + bounds).flatten().numpy()
        self._next_state = dynamics.next_state.flatten().numpy()
        self._reward = dynamics.reward.flatten().numpy()
        self._terminated = dynamics.terminated.flatten().numpy()
        initial = (~dynamics.terminal).double() if exploring_starts else dynamics.initial
        self._starts = np.flatnonzero(initial.numpy())
        self._start_bounds = (initial[initial > 0].cumsum(0) / initial.sum()).numpy()[:-1]
        self._rng = np.random.Generator(np.random.PCG64(episode_seed("train", seed, num_envs)))
        self.state: Any = self._draw_starts(num_envs)

    @property
    def observation(self) -> Tensor:
        """The states as ``(N,)`` int64."""
        return torch.from_numpy(np.array(self.state))

    def step_states(self, action: Any) -> StateStep:
        """Do the actions ``(N,)`` int64."""
        state = self.state
        place = state * self.num_actions + action
        if self._outcomes > 1:
            # In single precision it stays below 1, also when a place is added.
            place = self._bounds.searchsorted(place + self._rng.random(self.num_envs, np.float32), "right")
        reward = self._reward.take(place)
        next_state = self._next_state.take(place)
        terminated = self._terminated.take(place)
        self._count_step(reward)
        if self.max_steps is None:
            truncated, ended = np.zeros_like(terminated), terminated
        else:
            over = self._lengths >= self.max_steps
            truncated, ended = over & ~terminated, over | terminated
        self.state = next_state
        lanes = ended.nonzero()[0]
        if len(lanes):
            self.state = next_state.copy()
            self._finish_episodes(lanes)
            self.state[lanes] = self._draw_starts(len(lanes))
        return StateStep(state, action, reward, next_state, terminated, truncated)

    def _draw_starts(self, count: int) -> Any:
        if not len(self._start_bounds):
            return self._starts.repeat(count)
        return self._starts[np.searchsorted(self._start_bounds, self._rng.random(count), side="right")]

    def step(self, action: Tensor, info: Mapping[str, Tensor] | None = None) -> Transition:
        """Do the actions ``(N,)``; what an agent with a network calls."""
        done = self.step_states(action.numpy())
        return Transition(
            observation=torch.from_numpy(done.state),
            action=action,
            reward=torch.from_numpy(done.reward.astype(np.float32)),
            next_observation=torch.from_numpy(done.next_state),
            terminated=torch.from_numpy(done.terminated),
            truncated=torch.from_numpy(done.truncated),
            info=info or {},
        )

    def state_dict(self) -> dict[str, Any]:
        """Return where the episodes stand and the generator, as plain values and tensors."""
        return {
            "rng": self._rng.bit_generator.state,
            "state": torch.from_numpy(self.state.copy()),
            **self._episodes_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was taken. Raises UserError for another number of environments."""
        lanes = len(state["lengths"])
        if "rng" not in state or lanes != self.num_envs:
            raise UserError(
                f"the checkpoint's training environments are not {self.num_envs} drawn from a table:"
                f" resume with num_envs={lanes} and the same vectorization"
            )
        self._rng.bit_generator.state = state["rng"]
        self.state = state["state"].numpy().copy()
        self._load_episodes(state)

    def close(self) -> None:
        """Nothing is open."""
