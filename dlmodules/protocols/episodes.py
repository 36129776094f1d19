"""Whole episodes of the training environments, for agents that learn from their returns alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

ActsInEpisodes = Callable[[Tensor, Tensor], Tensor]
"""Maps observations ``(K, ...)`` and the numbers ``(K,)`` of their episodes to actions ``(K, ...)``, on the CPU."""


@dataclass(frozen=True)
class PlayedEpisodes:
    """What came of N episodes, as arrays.

    Attributes:
        returns: ``(N,)`` float64: undiscounted, of an episode that was stopped those of its steps so far.
        lengths: ``(N,)`` int64: steps.
        ended: ``(N,)`` bool: false where the budget stopped it, or never let it begin.
    """

    returns: Any
    lengths: Any
    ended: Any


@runtime_checkable
class PlaysEpisodes(Protocol):
    """The training environments of an agent that says ``plays_whole_episodes``."""

    num_envs: int
    episodes: int
    recent_returns: Sequence[float]
    recent_lengths: Sequence[int]

    def next_seeds(self, n: int) -> list[int]:
        """Return the seeds of ``n`` further training episodes."""
        ...

    def play(self, act: ActsInEpisodes, seeds: Sequence[int], max_steps: int | None = None) -> PlayedEpisodes:
        """Play one episode for each seed, or until ``max_steps`` are done over all of them."""
        ...
