from typing import Any

import gymnasium as gym
import numpy as np
import torch

from dlmodules.rl.evaluation import play_episodes


class Countdown:
    """An episode of as many steps as its seed says, each paying what the action says."""

    observation_space = gym.spaces.Box(0.0, np.inf, (1,), np.float32)

    def __init__(self) -> None:
        self.left = 0
        self.running = False

    def reset(self, seed: int) -> tuple[Any, dict[str, Any]]:
        assert not self.running, "reset in the middle of an episode"
        self.left, self.running = seed, True
        return np.array([self.left], dtype=np.float32), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.running, "step after the end"
        self.left -= 1
        self.running = self.left > 0
        # Cut, not terminated: an end is an end either way.
        return np.array([self.left], dtype=np.float32), float(action), False, not self.running, {}


def act(observation: torch.Tensor) -> torch.Tensor:
    return observation.squeeze(1).long()


def test_each_seed_gets_its_own_episode_in_order() -> None:
    returns, lengths = play_episodes(act, [Countdown(), Countdown()], seeds=[3, 1, 4, 1, 2])
    assert lengths.tolist() == [3, 1, 4, 1, 2]
    assert returns.tolist() == [6, 1, 10, 1, 3]  # 3 + 2 + 1, ...


def test_more_environments_than_episodes() -> None:
    returns, _ = play_episodes(act, [Countdown() for _ in range(5)], seeds=[2, 3])
    assert returns.tolist() == [3, 6]
