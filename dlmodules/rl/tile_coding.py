"""Values that are linear in features of an observation."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn

from dlmodules.errors import UserError
from dlmodules.validation.arguments import require_at_least


class LinearValues(nn.Module):
    """One weight for each number of an observation and each output, without a bias.

    Of one-hot observations, as ``gymnasium.wrappers.FlattenObservation`` makes them of numbered ones, it is a table.

    Args:
        observation_dim: numbers in an observation.
        outputs: actions, or 1 for the value of a state.
    """

    def __init__(self, observation_dim: int, outputs: int) -> None:
        super().__init__()
        require_at_least(1, observation_dim=observation_dim, outputs=outputs)
        self.observation_dim, self.outputs = observation_dim, outputs
        self.weights = nn.Linear(observation_dim, outputs, bias=False)
        nn.init.zeros_(self.weights.weight)

    def forward(self, observation: Tensor) -> Tensor:
        """Map observations ``(B, ...)`` to values ``(B, outputs)``."""
        values: Tensor = self.weights(observation.flatten(1).float())
        return values


class TileCodedValues(nn.Module):
    """The sum of one weight from each of several grids, which lie over the observations a little shifted.

    A grid of ``tiles`` in each direction, and one more for the shift, covers the box from ``low`` to ``high``; beyond
    it the outermost tile goes on. Two observations share as many weights as there are grids in which they lie in the
    same tile. The shifts are those of Miller and Glanz 1996: 1, 3, 5, … times a part of a tile, another in each
    direction.

    Args:
        low: least value of each number of an observation.
        high: largest value.
        outputs: actions, or 1 for the value of a state.
        tilings: grids.
        tiles: of a grid in each direction.
    """

    origin: Tensor
    scale: Tensor
    shifts: Tensor
    strides: Tensor

    def __init__(
        self, low: Sequence[float], high: Sequence[float], outputs: int, tilings: int = 8, tiles: int = 8
    ) -> None:
        super().__init__()
        if len(low) != len(high) or not low or any(a >= b for a, b in zip(low, high, strict=True)):
            raise UserError(
                f"low is {list(low)} and high {list(high)}; both need one number a direction, low the smaller"
            )
        require_at_least(1, outputs=outputs, tilings=tilings, tiles=tiles)
        dims = len(low)
        self.low, self.high = tuple(low), tuple(high)
        self.outputs, self.tilings, self.tiles = outputs, tilings, tiles
        self.register_buffer("origin", torch.tensor(low))
        self.register_buffer("scale", tiles / (torch.tensor(high) - torch.tensor(low)))
        steps = torch.arange(tilings)[:, None] * (2 * torch.arange(dims) + 1)
        self.register_buffer("shifts", (steps % tilings) / tilings)
        sizes = [tiles + 1] * dims
        strides = [prod(sizes[place + 1 :]) for place in range(dims)]
        self.register_buffer("strides", torch.tensor(strides))
        self.grid = prod(sizes)
        self.weights = nn.EmbeddingBag(tilings * self.grid, outputs, mode="sum")
        nn.init.zeros_(self.weights.weight)

    def tiles_of(self, observation: Tensor) -> Tensor:
        """Return the numbers ``(B, tilings)`` of the tiles in which observations ``(B, D)`` lie."""
        place = (observation.flatten(1) - self.origin) * self.scale
        cell = (place[:, None] + self.shifts).floor().clamp(0, self.tiles).long()
        return (cell * self.strides).sum(2) + torch.arange(len(self.shifts), device=cell.device) * self.grid

    def forward(self, observation: Tensor) -> Tensor:
        """Map observations ``(B, D)`` to values ``(B, outputs)``."""
        values: Tensor = self.weights(self.tiles_of(observation))
        return values
