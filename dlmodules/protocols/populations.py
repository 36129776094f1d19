"""What an agent offers that learns by many policies at once."""

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class HasPopulation(Protocol):
    """Tries many candidates in each generation."""

    def population(self) -> tuple[Tensor, Tensor, Tensor] | None:
        """Return the last generation, or None before the first and where the budget cut it.

        Candidates ``(P, n)``, their fitness ``(P,)``, and the weights ``(n,)`` that the module acts by since.
        """
        ...
