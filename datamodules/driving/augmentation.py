"""Frames as they would have been elsewhere on the road or in another light, and how a driver would have steered."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.errors import UserError
from dlmodules.layers.augmentation import around_zero
from dlmodules.validation.arguments import check_fractions


class SteeredAugmentation(nn.Module):
    """Change frames at random, each by itself, and with each its steering where the change asks for another.

    On a flat road a car that stands to the side sees what is below the horizon moved in proportion to how far below it
    is, and one that has turned sees all moved alike. So a frame is sheared about the horizon and shifted, and the
    driver steers back (Pomerleau 1991; Bojarski et al. 2016).

    Args:
        mirror: mirror half of the frames, which negates their steering.
        brightness: largest change of the brightness in parts of it, in [0, 1].
        turn: largest shift of a frame to either side in parts of its width, in [0, 1].
        turn_steering: by how much a shift by the whole width to the right changes the steering, to the right.
        move: largest shift of the bottom row to either side in parts of the width, in [0, 1]; the horizon stays.
        move_steering: by how much a shift of the bottom row by the whole width to the right changes the steering.
        lift: largest shift up or down in parts of the height, in [0, 1], as where the camera nods.
        horizon: where the horizon is, in parts of the height from the top, in [0, 1).

    Raises:
        UserError: for a number out of range.
    """

    def __init__(
        self,
        mirror: bool = True,
        brightness: float = 0.0,
        turn: float = 0.0,
        turn_steering: float = 0.0,
        move: float = 0.0,
        move_steering: float = 0.0,
        lift: float = 0.0,
        horizon: float = 0.4,
    ) -> None:
        super().__init__()
        check_fractions(brightness=brightness, turn=turn, move=move, lift=lift)
        if not 0.0 <= horizon < 1.0:
            raise UserError(f"horizon is {horizon}; it must be a part of the height in [0, 1)")
        self.mirror, self.brightness = mirror, brightness
        self.turn, self.turn_steering = turn, turn_steering
        self.move, self.move_steering = move, move_steering
        self.lift, self.horizon = lift, horizon

    def forward(self, frames: Tensor, steering: Tensor) -> tuple[Tensor, Tensor]:
        """Return changed frames ``(B, 3, H, W)`` in [0, 1] and their steering ``(B,)`` in [-1, 1]."""
        n = len(frames)
        if self.turn or self.move or self.lift:
            turn, move, lift = (size * around_zero(n) for size in (self.turn, self.move, self.lift))
            frames = self.seen_from(frames, turn, move, lift)
            steering = (steering + self.turn_steering * turn + self.move_steering * move).clamp(-1.0, 1.0)
        if self.mirror:
            mirrored = torch.rand(n) < 0.5
            frames = torch.where(mirrored.view(-1, 1, 1, 1), frames.flip(3), frames)
            steering = torch.where(mirrored, -steering, steering)
        if self.brightness:
            frames = (frames * (1 + self.brightness * around_zero(n)).view(-1, 1, 1, 1)).clamp(0.0, 1.0)
        return frames, steering

    def seen_from(self, frames: Tensor, turn: Tensor, move: Tensor, lift: Tensor) -> Tensor:
        """Return frames shifted right by ``turn`` and, at the bottom, ``move`` of their width, down by ``lift``.

        Each of these is ``(B,)``. What comes into the frame repeats its border.
        """
        # A grid runs from -1 to 1, so a shift by the whole side is 2. A place is read where its content was before.
        below = 2 * (1 - self.horizon)  # from the horizon to the bottom
        shear = -2 * move / below
        zero, one = torch.zeros_like(turn), torch.ones_like(turn)
        horizon = 2 * self.horizon - 1
        theta = torch.stack(
            [
                torch.stack([one, shear, -2 * turn - shear * horizon], dim=1),
                torch.stack([zero, one, -2 * lift], dim=1),
            ],
            dim=1,
        )
        grid = F.affine_grid(theta.to(frames), list(frames.shape), align_corners=False)
        return F.grid_sample(frames, grid, mode="bilinear", padding_mode="border", align_corners=False)
