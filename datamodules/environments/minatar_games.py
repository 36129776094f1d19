"""The games of MinAtar (Young and Tian 2019) as Gymnasium environments: Atari games in ten by ten cells."""

from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from typing_extensions import override

from datamodules.environments.registering import register_once
from dlmodules.errors import UserError, install_command

GAMES = {
    "Asterix": "asterix",
    "Breakout": "breakout",
    "Freeway": "freeway",
    "Seaquest": "seaquest",
    "SpaceInvaders": "space_invaders",
}
"""Their names in ids, and MinAtar's."""

MAX_STEPS = 5_000
"""After so many steps an episode is truncated. MinAtar has no limit, and a good policy may never end."""

CELL = 16
"""Pixels of a cell's side."""

# One for each channel, and black for a cell where nothing is. A cell that has several is shown by the last of them.
COLOURS = np.array(
    [
        *[(0, 0, 0), (90, 160, 255), (255, 255, 255), (120, 120, 120), (230, 110, 80), (250, 210, 90)],
        *[(110, 200, 120), (190, 120, 220), (80, 210, 210), (240, 150, 190), (160, 110, 60)],
    ],
    dtype=np.uint8,
)


class MinAtarGame(gym.Env[Any, Any]):
    """A game of MinAtar. Observations are ``(C, 10, 10)`` uint8, 0 or 1: what is in each cell, a channel for each kind.

    Everything in an episode follows from the seed of its reset and the actions. MinAtar's own ``MinAtar/Breakout-v1``
    has the channels last, no limit of steps, and keeps the last action of the episode before for the first of the next.

    Args:
        game: as MinAtar names it, such as ``space_invaders``.
        sticky_action_prob: probability with which the action before is done again, in place of the one that was chosen.
        difficulty_ramping: whether a game grows harder, where it can.
        minimal_actions: offer only actions that do something in this game; False offers all 6.
        render_mode: ``rgb_array`` for pictures; None draws nothing.

    Raises:
        UserError: MinAtar is not installed.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012  # Gymnasium has an instance variable here

    def __init__(
        self,
        game: str,
        sticky_action_prob: float = 0.1,
        difficulty_ramping: bool = True,
        minimal_actions: bool = True,
        render_mode: str | None = None,
    ) -> None:
        try:
            from minatar import Environment
        except ImportError as error:
            raise UserError(f"the games of MinAtar need minatar: {install_command('minatar')}") from error
        self.render_mode = render_mode
        self.game = Environment(game, sticky_action_prob, difficulty_ramping)
        self.actions = self.game.minimal_action_set() if minimal_actions else list(range(self.game.num_actions()))
        height, width, channels = self.game.state_shape()
        self.action_space = gym.spaces.Discrete(len(self.actions))
        self.observation_space = gym.spaces.Box(0, 1, (channels, height, width), np.uint8)

    def _observation(self) -> Any:
        return np.ascontiguousarray(self.game.state().transpose(2, 0, 1)).view(np.uint8)

    @override
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        # Its own ``seed`` makes a Mersenne twister, which takes longer than ten steps of a game.
        self.game.random = self.game.env.random = np.random.RandomState(self.np_random.bit_generator)
        self.game.last_action = 0  # else the first sticky action is the last one of the episode before
        self.game.reset()
        return self._observation(), {}

    @override
    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        reward, terminated = self.game.act(self.actions[action])
        return self._observation(), float(reward), terminated, False, {}

    @override
    def render(self) -> Any:
        """Return the cells in colours ``(160, 160, 3)`` uint8; None without a render mode."""
        if self.render_mode is None:
            return None
        state = self.game.state()
        kinds = (state * np.arange(1, state.shape[2] + 1)).max(axis=2)
        return COLOURS[kinds].repeat(CELL, axis=0).repeat(CELL, axis=1)


def register_minatar() -> None:
    """Tell Gymnasium of the games, once, as ``dlmodules/MinAtarBreakout-v0`` and so on."""
    for name, game in GAMES.items():
        register_once(f"dlmodules/MinAtar{name}-v0", partial(MinAtarGame, game), MAX_STEPS, checked=False)
