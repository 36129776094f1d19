"""A bright stripe that wanders over CarRacing's frames, with an expert who keeps it in the middle."""

from typing import Any

import gymnasium as gym
import numpy as np

STRIPE = "Stripe-v0"
STEPS = 40
REACH = 0.3


class Stripe(gym.Env):
    """The stripe's place is a number in [-1, 1]; steering moves it back by up to 0.3, and chance to either side as far.

    A step pays 1 less the distance from the middle. The first frame of an episode is black, and tells nothing. What
    the expert does can be read from any other.

    Args:
        has_expert: say what he would do.
        jumps: how often, in [0, 1], chance puts it anywhere; with 0 who steers well sees it near the middle alone.
    """

    def __init__(self, has_expert: bool = False, jumps: float = 0.1) -> None:
        self.observation_space = gym.spaces.Box(0, 255, (96, 96, 3), np.uint8)
        self.action_space = gym.spaces.Box(np.array([-1, 0, 0], np.float32), np.ones(3, np.float32))
        self.place = 0.0
        if has_expert:
            self.expert_action: Any = None
        self.has_expert, self.jumps = has_expert, jumps

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.place = float(self.np_random.uniform(-1, 1))
        self._ask()
        return np.zeros((96, 96, 3), np.uint8), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        moved = self.place - REACH * float(action[0]) + float(self.np_random.uniform(-REACH, REACH))
        anywhere = float(self.np_random.uniform(-1, 1))
        self.place = anywhere if self.np_random.random() < self.jumps else min(max(moved, -1.0), 1.0)
        self._ask()
        frame = np.zeros((96, 96, 3), np.uint8)
        column = column_of(self.place)
        frame[:, column - 3 : column + 4] = 255
        return frame, 1.0 - abs(self.place), False, False, {}

    def _ask(self) -> None:
        if self.has_expert:
            steering = min(max(self.place / REACH, -1.0), 1.0)
            self.expert_action = np.array([steering, 1 - abs(steering), 0.0], np.float32)


def column_of(place: float) -> int:
    """Return the column of the frame in which the stripe is."""
    return round(47.5 + 36 * place)


def register_stripe() -> None:
    """Tell Gymnasium of it, once."""
    if STRIPE not in gym.registry:
        gym.register(STRIPE, entry_point=f"{__name__}:Stripe", max_episode_steps=STEPS)
