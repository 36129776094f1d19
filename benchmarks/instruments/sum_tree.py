"""The usual way to draw by priority: a binary tree of sums, here walked down by numpy for a whole batch."""

import numpy as np
import numpy.typing as npt


class SumTree:
    """Priorities of ``capacity`` places, the leaves of a tree each of whose nodes is the sum of two.

    Args:
        capacity: number of places.
    """

    def __init__(self, capacity: int) -> None:
        self.depth = max(1, (capacity - 1).bit_length())
        self._first = 2**self.depth
        self._sums = np.zeros(2 * self._first)

    def update(self, places: npt.NDArray[np.int64], priorities: npt.NDArray[np.float64]) -> None:
        """Give ``places`` their priorities, and all nodes above them their sums."""
        nodes = places + self._first
        self._sums[nodes] = priorities
        for _ in range(self.depth):
            nodes = np.unique(nodes // 2)
            self._sums[nodes] = self._sums[2 * nodes] + self._sums[2 * nodes + 1]

    def sample(self, n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Draw ``n`` places, with replacement."""
        left_over = rng.random(n) * self._sums[1]
        nodes = np.ones(n, np.int64)
        for _ in range(self.depth):
            nodes = 2 * nodes
            left = self._sums[nodes]
            goes_right = left_over >= left
            left_over = np.where(goes_right, left_over - left, left_over)
            nodes = nodes + goes_right
        return nodes - self._first
