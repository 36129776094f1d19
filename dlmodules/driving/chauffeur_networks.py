"""The networks of ChauffeurNet: features of the picture, and what is planned and foreseen step by step from them."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

COARSER = 2
"""A cell of the maps is so many pixels of the picture wide."""

RARE = -4.0
"""The first logit of cells that are covered by a car: most never are, which need not be learned."""


class Plan(NamedTuple):
    """What is planned for K steps; maps have H x W cells.

    Args:
        waypoints: logits of the cell in which the car is, ``(B, K, H, W)``.
        boxes: logits of the cells that it covers, ``(B, K, H, W)``.
        details: in each cell, of a car there: how far right of and below its middle in parts of a cell, its heading in
            radians and its speed in metres per second, ``(B, K, 4, H, W)``.
    """

    waypoints: Tensor
    boxes: Tensor
    details: Tensor

    def details_in(self, cells: Tensor) -> Tensor:
        """Return the details ``(B, K, 4)`` in cells ``(B, K)``, each ``row * W + column``."""
        index = cells[:, :, None, None].expand(-1, -1, 4, 1)
        return self.details.flatten(3).gather(3, index)[..., 0]


class FeatureNet(nn.Module):
    """Convolutions down to an eighth of the picture and back up to half of it: ``(B, C, H, W)`` to half of H and W.

    Args:
        channels: of the picture.
        width: of the features; deeper layers have twice as many and more.
    """

    def __init__(self, channels: int, width: int = 16) -> None:
        super().__init__()
        self.channels, self.width = channels, width
        self.first = _convolution(channels, width, 5, stride=2)
        self.second = _convolution(width, 2 * width, stride=2)
        self.third = nn.Sequential(
            _convolution(2 * width, 3 * width, stride=2),
            _convolution(3 * width, 3 * width),
            _convolution(3 * width, 3 * width),
        )
        self.back_to_quarter, self.back_to_half = nn.Conv2d(3 * width, 2 * width, 1), nn.Conv2d(2 * width, width, 1)
        self.quarter_again, self.half_again = _convolution(2 * width, 2 * width), _convolution(width, width)

    def forward(self, picture: Tensor) -> Tensor:
        """Map pictures ``(B, channels, H, W)`` to features ``(B, width, H / 2, W / 2)``."""
        half = self.first(picture)
        quarter = self.second(half)
        up = F.interpolate(self.back_to_quarter(self.third(quarter)), size=quarter.shape[2:])
        up = self.quarter_again(quarter + up)
        features: Tensor = self.half_again(half + F.interpolate(self.back_to_half(up), size=half.shape[2:]))
        return features


def _convolution(before: int, after: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True))


class AgentRNN(nn.Module):
    """Plans one step after another: it is given its own last box, and a map of all cells that it planned before.

    Args:
        width: channels of the features, and of what is made of them.
        steps: K.
    """

    def __init__(self, width: int = 16, steps: int = 10) -> None:
        super().__init__()
        self.width, self.steps = width, steps
        self.of_features = nn.Conv2d(width, width, 3, padding=1)
        self.of_past = nn.Conv2d(3, width, 5, padding=2)
        self.hidden = nn.Conv2d(width, width, 3, padding=1)
        self.heads = nn.Conv2d(width, 6, 1)
        assert self.heads.bias is not None
        nn.init.constant_(self.heads.bias[1], RARE)

    def forward(self, features: Tensor, box: Tensor) -> Plan:
        """Plan K steps from features ``(B, width, H, W)`` and the car's box now ``(B, 1, H, W)`` in [0, 1]."""
        # What does not change from step to step is computed once.
        constant = self.of_features(features)
        n, _, height, width = features.shape
        memory = torch.zeros_like(box)
        found = []
        for step in range(self.steps):
            clock = torch.full_like(box, (step + 1) / self.steps)
            inner = F.relu(constant + self.of_past(torch.cat([memory, box, clock], dim=1)))
            heads = self.heads(F.relu(self.hidden(inner)))
            found.append(heads)
            cell = heads[:, 0].flatten(1).argmax(1)
            memory = memory + F.one_hot(cell, height * width).to(box).view(n, 1, height, width)
            box = heads[:, 1:2].sigmoid()
        maps = torch.stack(found, dim=1)
        return Plan(maps[:, :, 0], maps[:, :, 1], maps[:, :, 2:])


class RoadMaskNet(nn.Module):
    """Tells where the road is.

    Args:
        width: channels of the features.
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.width = width
        self.head = nn.Conv2d(width, 1, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(B, width, H, W)`` to logits ``(B, H, W)``."""
        logits: Tensor = self.head(features)
        return logits[:, 0]


class PerceptionRNN(nn.Module):
    """Foresees where other cars will be, one step after another, each from what it foresaw for the one before.

    Args:
        width: channels of the features.
        steps: K.
    """

    def __init__(self, width: int = 16, steps: int = 10) -> None:
        super().__init__()
        self.width, self.steps = width, steps
        self.of_features = nn.Conv2d(width, 8, 1)
        self.of_past = nn.Conv2d(1, 8, 5, padding=2)
        self.head = nn.Conv2d(8, 1, 3, padding=1)
        assert self.head.bias is not None
        nn.init.constant_(self.head.bias, RARE)

    def forward(self, features: Tensor, cars: Tensor) -> Tensor:
        """Return logits ``(B, K, H, W)`` from features and where cars are now, ``(B, 1, H, W)`` in [0, 1]."""
        constant = self.of_features(features)
        found = []
        for _ in range(self.steps):
            logits = self.head(F.relu(constant + self.of_past(cars)))
            found.append(logits)
            cars = logits.sigmoid()
        return torch.cat(found, dim=1)
