"""What an agent offers."""

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Acts(Protocol):
    """Plays an environment."""

    def act(self, observation: Tensor) -> Tensor:
        """Return the deterministic actions ``(N, ...)`` for observations ``(N, ...)``."""
        ...
