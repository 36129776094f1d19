"""An environment of Gymnasium's that is nothing but its table of all that can happen."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from typing_extensions import override

from dlmodules.errors import UserError

Outcome = tuple[float, int, float, bool]
"""Probability, next state, reward and whether the episode ends there."""
Table = Sequence[Sequence[Sequence[Outcome]]]
"""``table[state][action]`` lists the outcomes of an action in a state; their probabilities add up to 1."""


class TableEnv(gym.Env[Any, Any]):
    """A finite Markov decision process; states and actions are numbered from 0.

    As Gymnasium's toy texts do, it shows its table as ``P`` and the probabilities ``(S,)`` of the first state as
    ``initial_state_distrib``. A child that can be seen overrides ``picture``.

    Args:
        table: what can happen.
        initial: the probability of each state to begin an episode, or the one state that always does.
        render_mode: ``rgb_array`` for pictures; None draws nothing.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 4}  # noqa: RUF012  # Gymnasium has an instance variable here

    def __init__(self, table: Table, initial: int | Sequence[float], render_mode: str | None = None) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise UserError(f"{type(self).__name__}: render_mode is rgb_array or null, not {render_mode}")
        self.P = {
            state: {action: [*outcomes] for action, outcomes in enumerate(row)} for state, row in enumerate(table)
        }
        first = np.eye(len(table))[initial] if isinstance(initial, int) else np.asarray(initial, dtype=np.float64)
        self.initial_state_distrib = first
        self.observation_space = gym.spaces.Discrete(len(table))
        self.action_space = gym.spaces.Discrete(len(table[0]))
        self.render_mode = render_mode
        self.state = int(first.argmax())

    @override
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.state = self._draw(self.initial_state_distrib)
        return self.state, {}

    @override
    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        outcomes = self.P[self.state][int(action)]
        place = self._draw([outcome[0] for outcome in outcomes]) if len(outcomes) > 1 else 0
        _, self.state, reward, terminated = outcomes[place]
        return self.state, reward, terminated, False, {}

    def _draw(self, probabilities: Any) -> int:
        # The last one takes what rounding leaves over.
        return int(np.searchsorted(np.cumsum(probabilities)[:-1], self.np_random.random(), side="right"))

    @override
    def render(self) -> Any:
        """Return a picture ``(H, W, 3)`` uint8 of the state, or None where no ``render_mode`` was asked for."""
        return None if self.render_mode is None else self.picture()

    def picture(self) -> Any:
        """Return ``(H, W, 3)`` uint8. Raises UserError where there is nothing to see."""
        raise UserError(f"{type(self).__name__} has no picture")
