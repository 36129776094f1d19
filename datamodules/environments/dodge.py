"""Dodge: a small game of pixels in which balls fall, and who is hit is out."""

from typing import Any

import gymnasium as gym
import numpy as np
from typing_extensions import override

from datamodules.environments.registering import register_once
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_fractions

DODGE = "dlmodules/Dodge-v0"
MAX_STEPS = 500
"""After so many steps a game is truncated."""

SIDE = 24
BALL, PLAYER = 3, 4  # pixels: balls are square, the player is half as high as wide
STRIDE = 2
LEFT, STAY, RIGHT = range(3)


class Dodge(gym.Env[Any, Any]):
    """Stay out of the way of falling balls, for a reward of 1 a step. Observations are ``(24, 24, 1)`` uint8.

    It is what VizDoom's ``take_cover`` is at heart: nothing is to be won but time, and a single mistake ends the game,
    so a world model has to know what kills. The player steps 2 pixels to the left (0) or right (2), or stays (1). Half
    of the balls fall towards where the player stands when they start.

    Books: foster F8.9.

    Args:
        balls: probability that a ball starts in a step.
        aimed: part of the balls that are aimed.
        fall: pixels that a ball falls in a step, 1 to 3: a faster one would pass through the player.
        render_mode: ``rgb_array`` for pictures; None draws nothing.

    Raises:
        UserError: for a number out of range.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 15}  # noqa: RUF012  # Gymnasium has an instance variable here

    def __init__(self, balls: float = 0.18, aimed: float = 0.5, fall: int = 1, render_mode: str | None = None) -> None:
        check_fractions(balls=balls, aimed=aimed)
        if fall not in range(1, BALL + 1):
            raise UserError(f"fall is {fall}; it must be 1 to {BALL} pixels a step")
        self.balls, self.aimed, self.fall, self.render_mode = balls, aimed, fall, render_mode
        self.observation_space = gym.spaces.Box(0, 255, (SIDE, SIDE, 1), np.uint8)
        self.action_space = gym.spaces.Discrete(3)
        self.player, self.falling = 0, np.zeros((0, 2), dtype=np.int64)

    def _frame(self) -> Any:
        frame = np.zeros((SIDE, SIDE, 1), np.uint8)
        for x, y in self.falling:
            frame[max(y, 0) : y + BALL, x : x + BALL] = 255
        frame[SIDE - PLAYER // 2 :, self.player : self.player + PLAYER] = 128
        return frame

    @override
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.player = int(self.np_random.integers(SIDE - PLAYER + 1))
        self.falling = np.zeros((0, 2), dtype=np.int64)
        return self._frame(), {}

    @override
    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.player = min(max(self.player + STRIDE * (int(action) - STAY), 0), SIDE - PLAYER)
        self.falling[:, 1] += self.fall
        self.falling = self.falling[self.falling[:, 1] < SIDE]
        starts, aims, place = self.np_random.random(3)
        if starts < self.balls:
            middle = self.player + (PLAYER - BALL) // 2
            x = min(middle, SIDE - BALL) if aims < self.aimed else int(place * (SIDE - BALL + 1))
            self.falling = np.concatenate([self.falling, [[x, 1 - BALL]]])
        beside = (self.falling[:, 0] < self.player + PLAYER) & (self.falling[:, 0] + BALL > self.player)
        hit = bool((beside & (self.falling[:, 1] + BALL > SIDE - PLAYER // 2)).any())
        return self._frame(), 1.0, hit, False, {}

    @override
    def render(self) -> Any:
        """Return the frame ``(192, 192, 3)`` uint8; None without a render mode."""
        if self.render_mode is None:
            return None
        return self._frame().repeat(8, axis=0).repeat(8, axis=1).repeat(3, axis=2)


def register_dodge() -> None:
    """Tell Gymnasium of it, once."""
    register_once(DODGE, Dodge, MAX_STEPS, checked=False)
