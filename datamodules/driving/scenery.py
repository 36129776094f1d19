"""How a road and what lies beside it look to a camera, in the blue channel or in colour, and to a range finder."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from datamodules.driving.road import Camera, Road

FARTHEST = 25.0
"""Metres to which the range finder sees."""

STEPS = 2.0 * (FARTHEST / 2.0) ** (torch.arange(40) / 39)
"""Distances along a ray at which it is asked whether it has met something."""

POST_RADIUS, POST_HEIGHT = 0.4, 3.0


@dataclass(frozen=True)
class Scenery:
    """The looks of N roads; each field is ``(N,)``, lengths are in metres and intensities in [0, 1].

    Attributes:
        half_width: from the middle of the road to its edge.
        road, ground: intensity of the road, and of what is beside it.
        light: by which both are multiplied.
        noise: standard deviation of a pixel.
        shade: what is left of the light in a shadow.
        shadow: length of each shadow along the road.
        period: from shadow to shadow, and from post to post, along the road.
        phase: where the first of either begins.
        bank: from the middle of the road to the foot of a bank on either side.
        bank_height: of the bank, 0 for none.
    """

    half_width: Tensor
    road: Tensor
    ground: Tensor
    light: Tensor
    noise: Tensor
    shade: Tensor
    shadow: Tensor
    period: Tensor
    phase: Tensor
    bank: Tensor
    bank_height: Tensor

    @classmethod
    def drawn(cls, n: int, generator: torch.Generator) -> "Scenery":
        """Return the looks of ``n`` roads, drawn at random."""

        def between(low: float, high: float) -> Tensor:
            return low + (high - low) * torch.rand(n, generator=generator)

        road, contrast = between(0.3, 0.7), between(0.15, 0.4)
        lighter = torch.rand(n, generator=generator) < 0.5
        half_width, period = between(1.5, 2.5), between(15.0, 40.0)
        has_bank = torch.rand(n, generator=generator) < 0.5
        return cls(
            half_width=half_width,
            road=road,
            ground=torch.where(lighter, road - contrast, road + contrast).clamp(0.05, 0.95),
            light=between(0.7, 1.1),
            noise=between(0.01, 0.04),
            shade=between(0.6, 1.0),
            shadow=between(0.0, 0.2) * period,
            period=period,
            phase=between(0.0, 1.0) * period,
            bank=half_width + between(0.5, 2.0),
            bank_height=torch.where(has_bank, between(0.4, 1.2), 0.0),
        )

    @property
    def lighter(self) -> Tensor:
        """Whether each road is lighter than what is beside it, ``(N,)``: 1 or 0."""
        return (self.road > self.ground).float()

    def rows(self, chosen: slice) -> "Scenery":
        """Return the looks of some of the roads."""
        return Scenery(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    def blue(self, road: Road, camera: Camera, generator: torch.Generator) -> Tensor:
        """Return what ``camera`` sees of the roads in the blue channel, ``(N, rows, columns)`` in [0, 1]."""
        lateral, along, _ = self._seen(road, camera)
        on_road = self._on_road(lateral)
        blue = _wide(self.ground) + (_wide(self.road) - _wide(self.ground)) * on_road
        return self._lit(blue, along, generator)

    def colour(self, road: Road, camera: Camera, generator: torch.Generator) -> Tensor:
        """Return what ``camera`` sees in colour, ``(N, 3, rows, columns)`` in [0, 1].

        The road has white edges and a dashed yellow middle; there is a sky above the horizon.
        """
        lateral, along, meets = self._seen(road, camera)
        # Far away a line is narrower than a pixel, of which it then takes a part.
        blur = 0.02 + 0.004 * camera.ground[1].abs()
        edge = _bump((lateral.abs() - _wide(self.half_width) + 0.1) / (0.08 + blur)) * 0.08 / (0.08 + blur)
        dashed = ((along + _wide(self.phase)) % 3.0 < 1.5).float()
        middle = dashed * _bump(lateral / (0.08 + blur)) * 0.08 / (0.08 + blur)
        on_road = self._on_road(lateral)
        grey, ground = _wide(self.road), _wide(self.ground)
        paint = (1.0, 1.0, 1.0), (0.95, 0.8, 0.1)
        tints = (0.9, 1.0, 0.7)  # grass and soil
        channels = []
        for white, yellow, tint, sky in zip(*paint, tints, (0.6, 0.75, 0.95), strict=True):
            channel = ground * tint + (grey - ground * tint) * on_road
            channel = channel + (white - channel) * edge
            channel = channel + (yellow - channel) * middle
            lit = self._lit(channel, along, generator)
            channels.append(torch.where(meets, lit, sky))
        return torch.stack(channels, dim=1)

    def proximity(self, road: Road, scanner: Camera, generator: torch.Generator) -> Tensor:
        """Return how near what a range finder sees is, ``(N, rows, columns)``: 1 at hand, 0 from 25 metres on."""
        right, ahead, down = (part[..., None] * STEPS for part in scanner.rays)
        n = len(self.half_width)
        lateral, along = road.locate(right.expand(n, *right.shape), ahead.expand(n, *ahead.shape))
        met = scanner.height - down <= self._height(lateral, along)
        # Where a ray meets nothing it goes on to the end.
        first = torch.where(met.any(dim=-1), met.int().argmax(dim=-1), len(STEPS) - 1)
        found = 1 - STEPS[first] / FARTHEST
        return (found + 0.02 * torch.randn(found.shape, generator=generator)).clamp(0.0, 1.0)

    def _seen(self, road: Road, camera: Camera) -> tuple[Tensor, Tensor, Tensor]:
        right, ahead, meets = camera.ground
        n = len(self.half_width)
        return *road.locate(right.expand(n, -1, -1), ahead.expand(n, -1, -1)), meets

    def _on_road(self, lateral: Tensor) -> Tensor:
        """Return how much of a place is road: 1, or 0, and between them on the ten centimetres of its edge."""
        return ((_wide(self.half_width) - lateral.abs()) / 0.1 + 0.5).clamp(0.0, 1.0)

    def _lit(self, intensity: Tensor, along: Tensor, generator: torch.Generator) -> Tensor:
        in_shadow = (along + _wide(self.phase)) % _wide(self.period) < _wide(self.shadow)
        light = _wide(self.light) * torch.where(in_shadow, _wide(self.shade), 1.0)
        noise = _wide(self.noise) * torch.randn(intensity.shape, generator=generator)
        return (intensity * light + noise).clamp(0.0, 1.0)

    def _height(self, lateral: Tensor, along: Tensor) -> Tensor:
        """Return how high the ground is at places ``(N, rows, columns, steps)``: flat, but for banks and posts."""
        bank, high, period, phase = (
            part.view(-1, 1, 1, 1) for part in (self.bank, self.bank_height, self.period, self.phase)
        )
        slope = torch.minimum((lateral.abs() - bank).clamp(min=0.0), high)  # it rises by 45 degrees
        beside = lateral.abs() - bank - 1.0
        beyond = (along + phase + period / 2) % period - period / 2
        is_post = beside.square() + beyond.square() < POST_RADIUS**2
        return torch.where(is_post, POST_HEIGHT, slope)


def _wide(values: Tensor) -> Tensor:
    """Return one value for each road, ``(N, 1, 1)``, to go with pixels."""
    return values.view(-1, 1, 1)


def _bump(x: Tensor) -> Tensor:
    return (-0.5 * x.square()).exp()
