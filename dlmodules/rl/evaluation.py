"""Play whole episodes with a fixed policy."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor


class _Game:
    """An environment and the episode that runs in it."""

    def __init__(self, env: Any) -> None:
        self.env = env
        self.episode = -1
        self.observation: Any = None

    def start(self, episodes: Iterator[tuple[int, int]]) -> bool:
        """Begin the next of ``episodes``, pairs of number and seed. Returns False when none is left."""
        for self.episode, seed in episodes:
            self.observation, _ = self.env.reset(seed=seed)
            return True
        return False


def play_episodes(act: Callable[[Tensor], Tensor], envs: Sequence[Any], seeds: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Play one episode for each seed, as many side by side as there are ``envs``.

    Args:
        act: maps observations ``(N, ...)`` to actions ``(N, ...)``.
        envs: Gymnasium environments, at least one.
        seeds: seed of each episode.

    Returns:
        The undiscounted returns and the lengths, each ``(len(seeds),)`` float32, in the order of the seeds.
    """
    returns, lengths = [0.0] * len(seeds), [0] * len(seeds)
    waiting = iter(enumerate(seeds))
    games = [game for game in map(_Game, envs) if game.start(waiting)]
    while games:
        observations = torch.from_numpy(np.stack([game.observation for game in games]))
        ended = []
        for game, action in zip(games, act(observations).cpu().numpy(), strict=True):
            game.observation, reward, terminated, truncated, _ = game.env.step(action)
            returns[game.episode] += float(reward)
            lengths[game.episode] += 1
            if terminated or truncated:
                ended.append(game)
        for game in ended:
            if not game.start(waiting):
                games.remove(game)
    return torch.tensor(returns), torch.tensor(lengths, dtype=torch.float32)
