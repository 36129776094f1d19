"""What an agent offers whose values are a table: S states and A actions, both numbered."""

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class HasActionValues(Protocol):
    """Knows what each action is worth in each state."""

    def action_values(self) -> Tensor:
        """Return the values ``(S, A)``."""
        ...


@runtime_checkable
class HasStateValues(Protocol):
    """Knows what it is worth to be in each state, under the policy that it follows or judges.

    Where an agent has action values alone, a state is worth as much as its best action.
    """

    def state_values(self) -> Tensor:
        """Return the values ``(S,)``."""
        ...
