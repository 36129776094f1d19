"""Observations as a network receives them, and examples sampled from their space."""

import numpy as np
import torch
from torch import Tensor

from dlmodules.protocols import EnvironmentSource


def example_observation(source: EnvironmentSource) -> Tensor:
    """Return an observation ``(1, ...)``: zeros of the dtype of ``Box``, or ``(1,)`` int64, the first of ``Discrete``.

    Raises:
        UserError: observations are neither.
    """
    from gymnasium.spaces import Discrete  # it takes half a second, and only who acts needs it

    space = source.observation_space
    if isinstance(space, Discrete):
        return torch.tensor([int(space.start)])
    return torch.from_numpy(np.zeros((1, *source.observation_shape), space.dtype))
