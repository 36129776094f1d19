"""Roads as a car comes upon them, drawn at random, and how it is to steer."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from datamodules.driving.road import Arcs, pursuit
from datamodules.driving.scenery import Scenery
from dlmodules.layers.augmentation import around_zero

MAX_CURVATURE = 0.1
"""Of the sharpest turn of the car, in one over metres: what a steering of 1 is."""

LOOK_AHEAD = 10.0
"""How far along the road, in metres, the place is that the car steers for."""

PART = 100


@dataclass(frozen=True)
class DrawnRoads:
    """Roads before N cars, their looks, and the steering ``(N,)`` in [-1, 1] that leads each car to the middle."""

    roads: Arcs
    scenery: Scenery
    steering: Tensor

    @classmethod
    def drawn(cls, n: int, generator: torch.Generator) -> "DrawnRoads":
        """Return ``n`` roads.

        All steerings are equally frequent, so that none is learned for its frequency alone: a car is turned until the
        one that was drawn for it is right.
        """
        curvature, offset, steering = (size * around_zero(n, generator=generator) for size in (0.05, 1.5, 1.0))
        across, forward = Arcs(offset, torch.zeros(n), curvature).ahead(LOOK_AHEAD)
        wanted = MAX_CURVATURE * steering * torch.hypot(across, forward) / 2
        roads = Arcs(offset, torch.atan2(across, forward) - wanted.asin(), curvature)
        return cls(roads, Scenery.drawn(n, generator), steering)

    @classmethod
    def driven(cls, n: int, generator: torch.Generator) -> "DrawnRoads":
        """Return ``n`` roads as one comes upon them who drives well: in the middle, but for a hand, and along it."""
        roads = Arcs(*(size * around_zero(n, generator=generator) for size in (0.1, 0.02, 0.05)))
        return cls(roads, Scenery.drawn(n, generator), steering_to(*roads.ahead(LOOK_AHEAD)))

    def parts(self) -> "Iterator[tuple[slice, DrawnRoads]]":
        """Return the roads a hundred at a time, so that drawing them takes little memory, and their rows among all."""
        for first in range(0, len(self.steering), PART):
            rows = slice(first, first + PART)
            yield rows, self._rows(rows)

    def _rows(self, chosen: slice) -> "DrawnRoads":
        offset, heading, curvature = self.roads.offset, self.roads.heading, self.roads.curvature
        roads = Arcs(offset[chosen], heading[chosen], curvature[chosen])
        return DrawnRoads(roads, self.scenery.rows(chosen), self.steering[chosen])


def steering_to(right: Tensor, ahead: Tensor) -> Tensor:
    """Return the steering in [-1, 1] by which a car gets to a place, as far as it can turn so sharply."""
    return (pursuit(right, ahead) / MAX_CURVATURE).clamp(-1.0, 1.0)
