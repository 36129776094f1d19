"""Priorities of a replay buffer's places."""

import torch
from torch import Tensor

from dlmodules.errors import UserError


class Priorities:
    """Draws places in proportion to a power of their priority (Schaul et al. 2016).

    A draw sums all priorities up once and finds each number in the sums, so it is best to draw many at once: up to
    100,000 places that is faster than a tree.

    Args:
        capacity: number of places.
        alpha: the power; 0 draws uniformly.
    """

    def __init__(self, capacity: int, alpha: float = 0.6) -> None:
        self.capacity = capacity
        self.alpha = alpha
        self.largest = 1.0
        """The largest priority that there has been: that of a new place."""
        self._scaled = torch.zeros(capacity, dtype=torch.float64)

    def add(self, places: Tensor) -> None:
        """Give the new ``places`` ``(N,)`` the largest priority, so that each is likely to be drawn soon."""
        self._scaled[places] = self.largest**self.alpha

    def update(self, places: Tensor, priorities: Tensor) -> None:
        """Give ``places`` ``(N,)`` new ``priorities`` ``(N,)``, at least 0. A place of priority 0 is not drawn."""
        if not len(priorities):
            return
        self._scaled[places] = torch.where(priorities > 0, priorities.double() ** self.alpha, 0.0)
        self.largest = max(self.largest, float(priorities.max()))

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Draw ``n`` places, with replacement. At least one priority must be above 0.

        Returns:
            The places ``(n,)`` int64 and their probabilities ``(n,)`` float64.
        """
        sums = self._scaled.cumsum(0)
        total = sums[-1]
        drawn = torch.rand(n, dtype=torch.float64, generator=generator) * total
        # Rounding can give the total itself, which is beyond every place.
        drawn.clamp_(max=float(torch.nextafter(total, torch.zeros_like(total))))
        # The first place whose sum is above the number: never one that adds nothing.
        places = torch.searchsorted(sums, drawn, right=True)
        return places, self._scaled[places] / total

    def state_dict(self) -> dict[str, Tensor | float]:
        """Return the priorities up to the last place that has one, and the largest that there has been."""
        used = self._scaled.nonzero()
        size = int(used[-1]) + 1 if len(used) else 0
        return {"scaled": self._scaled[:size].clone(), "largest": self.largest}

    def load_state_dict(self, state: dict[str, Tensor | float]) -> None:
        """Take over what ``state_dict`` returned. Raises UserError where there are more places than here."""
        scaled = state["scaled"]
        assert isinstance(scaled, Tensor)
        if len(scaled) > self.capacity:
            raise UserError(f"the checkpoint has priorities of {len(scaled)} transitions, more than {self.capacity}")
        self._scaled.zero_()
        self._scaled[: len(scaled)] = scaled
        self.largest = float(state["largest"])


def importance_weights(probabilities: Tensor, size: int, beta: float) -> Tensor:
    """Return weights ``(n,)`` float32 that undo a draw which was not uniform, the largest of them 1.

    Args:
        probabilities: ``(n,)`` with which each of n was drawn.
        size: out of so many.
        beta: how far it is undone, in [0, 1]; with 0 all weights are 1.
    """
    weights = (size * probabilities) ** -beta
    return (weights / weights.max()).float()
