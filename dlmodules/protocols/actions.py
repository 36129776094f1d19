"""What an agent offers."""

from typing import Protocol, runtime_checkable

from torch import Tensor

Memory = dict[str, Tensor]
"""What an agent remembers of running episodes: by name, tensors ``(N, ...)`` whose row i is of environment i."""


@runtime_checkable
class Acts(Protocol):
    """Plays an environment.

    An agent with a memory is one too, by the letter: a caller asks for ``ActsWithMemory`` first.
    """

    def act(self, observation: Tensor) -> Tensor:
        """Return the deterministic actions ``(N, ...)`` for observations ``(N, ...)``."""
        ...


@runtime_checkable
class ActsWithMemory(Protocol):
    """Plays an environment by what it saw of the episode so far.

    Whoever plays keeps one row of the state for each environment, and gives it the row of ``initial_state`` when
    the environment begins another episode.
    """

    def initial_state(self, n: int) -> Memory:
        """Return the state of ``n`` environments before an episode's first observation, each tensor ``(n, ...)``."""
        ...

    def act(self, observation: Tensor, state: Memory) -> tuple[Tensor, Memory]:
        """Return the deterministic actions ``(N, ...)`` for observations ``(N, ...)``, and the state after them."""
        ...
