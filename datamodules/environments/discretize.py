"""Observations of a few numbers as one numbered state, for agents with a table."""

from collections.abc import Sequence
from math import isfinite, prod
from typing import Any

import gymnasium as gym
import numpy as np
from typing_extensions import override

from dlmodules.errors import UserError

MOST_STATES = 2**31


class Discretize(gym.ObservationWrapper[Any, Any, Any]):
    """Cut the range of each number of an observation into bins of equal width, and number all combinations (lab L2).

    The first number's bin counts most, as the first digit does. Beyond the range a number is in its first or last bin.

    Args:
        env: with observations ``(D,)`` of ``Box``.
        low: where the first bin of each of the D numbers begins.
        high: where the last one ends.
        bins: how many there are, for all numbers or for each.

    Raises:
        UserError: the arguments do not fit the observations, or there are 2^31 states or more.
    """

    def __init__(
        self, env: gym.Env[Any, Any], low: Sequence[float], high: Sequence[float], bins: int | Sequence[int] = 10
    ) -> None:
        super().__init__(env)
        space = env.observation_space
        if not isinstance(space, gym.spaces.Box) or len(space.shape) != 1:
            raise UserError(f"Discretize cuts observations of a row of numbers into bins, not {space}")
        size = int(space.shape[0])
        counts = [bins] * size if isinstance(bins, int) else list(bins)
        if not len(low) == len(high) == len(counts) == size:
            raise UserError(f"Discretize: low, high and bins must have {size} numbers, one for each of an observation")
        if not all(isfinite(least) and isfinite(most) and least < most for least, most in zip(low, high, strict=True)):
            raise UserError(f"Discretize: low {list(low)} must be below high {list(high)}, and both finite")
        if min(counts) < 1 or prod(counts) >= MOST_STATES:
            raise UserError(f"Discretize: bins {counts} must be 1 or more each, and make less than 2^31 states")
        self.bins = tuple(counts)
        self.observation_space = gym.spaces.Discrete(prod(counts))
        self._digits = [
            (float(least), count / (most - least), count, count - 1)
            for least, most, count in zip(low, high, counts, strict=True)
        ]

    @override
    def observation(self, observation: Any) -> Any:
        """Return the number of the state of an observation ``(D,)``. Raises UserError for one that is not a number."""
        state = 0
        # Plain numbers are faster than arrays of four.
        for value, (least, per_unit, count, last) in zip(observation.tolist(), self._digits, strict=True):
            place = (value - least) * per_unit
            if place != place:
                raise UserError(f"Discretize: the observation {observation} is not a number")
            state = state * count + (0 if place < 0 else last if place >= last else int(place))
        return np.int64(state)
