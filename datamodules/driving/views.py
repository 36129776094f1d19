"""What ALVINN would have seen from beside a driver's way, and how it would have steered from there."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from datamodules.driving.drawn_roads import LOOK_AHEAD, MAX_CURVATURE, steering_to
from datamodules.driving.retina import CAMERA, PIXELS, SCANNER, pictures_of
from datamodules.driving.road import Camera
from dlmodules.errors import UserError
from dlmodules.layers.augmentation import around_zero
from dlmodules.protocols import Batch
from dlmodules.validation.arguments import check_at_least

FAR = 1000.0
"""Metres along a ray at which what it sees is said to be, where it does not meet the ground before."""


class OtherViews(nn.Module):
    """Change rows as if the car had stood to the side and been turned, each by itself, and their steering with them.

    Who drives well is never seen to come back to the middle, so whoever learns from his frames alone leaves the road at
    the first small mistake. Pomerleau made fifteen frames of each by shifting and turning it, as the flat ground would
    have looked from there, and gave each the steering that leads to where the driver was going (Pomerleau 1991).

    Args:
        shift: how far to either side the car stands at most, in metres, 0 or more.
        turn: by how much it is turned to either side at most, in degrees, in [0, 45].
        mirror: mirror half of the rows, which negates their steering.

    Raises:
        UserError: for a number out of range.
    """

    def __init__(self, shift: float = 0.0, turn: float = 0.0, mirror: bool = False) -> None:
        super().__init__()
        check_at_least(0, shift=shift)
        if not 0.0 <= turn <= 45.0:
            raise UserError(f"turn is {turn}; it must be degrees in [0, 45]")
        self.shift, self.turn, self.mirror = shift, turn, mirror

    def forward(self, x: Tensor, y: Tensor) -> Batch:
        """Return changed rows ``(B, 1217)`` in [0, 1], and ``(B, 2)``: their steering in [-1, 1] and the intensity."""
        n, steering = len(x), y[:, 0]
        if self.shift or self.turn:
            shift, turn = self.shift * around_zero(n), math.radians(self.turn) * around_zero(n)
            x, steering = seen_from(x, shift, turn), steering_from(steering, shift, turn)
        if self.mirror:
            mirrored = torch.rand(n) < 0.5
            x = torch.where(mirrored.unsqueeze(1), in_a_mirror(x), x)
            steering = torch.where(mirrored, -steering, steering)
        return x, torch.stack([steering, y[:, 1]], dim=1)


def seen_from(x: Tensor, shift: Tensor, turn: Tensor) -> Tensor:
    """Return what is seen, ``(B, 1217)``, ``shift`` metres to the right of where ``x`` was, turned right by ``turn``.

    Both are ``(B,)``, ``turn`` in radians. The ground counts as flat, for the range finder as well. What was not in the
    frame has the values of its border.
    """
    blue, near = pictures_of(x)
    return _row(_moved(blue, CAMERA, shift, turn), _moved(near, SCANNER, shift, turn), x)


def steering_from(steering: Tensor, shift: Tensor, turn: Tensor) -> Tensor:
    """Return the steering ``(B,)`` that leads to where the driver was going, as far as the car can turn so sharply.

    That is the place on the driver's circle that is ten metres away. ``shift`` and ``turn`` are those of ``seen_from``.
    """
    right = MAX_CURVATURE * steering * LOOK_AHEAD**2 / 2
    ahead = (LOOK_AHEAD**2 - right.square()).sqrt()
    right = right - shift
    cos, sin = turn.cos(), turn.sin()
    return steering_to(right * cos - ahead * sin, ahead * cos + right * sin)


def in_a_mirror(x: Tensor) -> Tensor:
    """Return rows ``(B, 1217)`` with left and right exchanged."""
    blue, near = pictures_of(x)
    return _row(blue.flip(2), near.flip(2), x)


def _moved(pictures: Tensor, camera: Camera, shift: Tensor, turn: Tensor) -> Tensor:
    """Return what the camera sees of pictures ``(B, rows, columns)``, elsewhere and turned."""
    right, ahead, down = camera.rays
    length = camera.height / down.clamp(min=camera.height / FAR)
    right, ahead, down = right * length, ahead * length, down * length
    cos, sin, aside = (part.view(-1, 1, 1) for part in (turn.cos(), turn.sin(), shift))
    # Where the rays of the moved camera end, in the coordinates of the camera that took the picture.
    grid = camera.places(aside + right * cos + ahead * sin, ahead * cos - right * sin, down.expand(len(turn), -1, -1))
    found = F.grid_sample(pictures.unsqueeze(1), grid, mode="bilinear", padding_mode="border", align_corners=False)
    return found.squeeze(1)


def _row(blue: Tensor, near: Tensor, x: Tensor) -> Tensor:
    """Return rows of both pictures, with what else is in ``x``."""
    return torch.cat([blue.flatten(1), near.flatten(1), x[:, PIXELS:]], dim=1)
