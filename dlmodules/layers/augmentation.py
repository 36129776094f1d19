"""Augmentation of a whole batch at once, in which every image is moved by its own random amounts."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.errors import UserError

NET = 4  # points a side that a warp moves


class RandomShiftAndFlip(nn.Module):
    """Shift each image by whole pixels, at random and by itself, and mirror half of them left to right.

    Args:
        shift: largest shift in each direction, as a fraction of the image's side, in [0, 1).
        horizontal_flip: flip half of the images.
        fill: ``edge`` repeats the border, ``zero`` leaves black.
    """

    def __init__(self, shift: float = 0.1, horizontal_flip: bool = True, fill: str = "edge") -> None:
        super().__init__()
        if not 0.0 <= shift < 1.0:
            raise UserError(f"shift is {shift}; it must be a fraction of the image's side in [0, 1)")
        self.shift, self.horizontal_flip, self.fill = shift, horizontal_flip, fill
        self.padding = _padding_mode(fill, {"edge": "replicate", "zero": "constant"})

    def forward(self, x: Tensor) -> Tensor:
        """Return the moved images ``(B, C, H, W)``, of the same shape."""
        batch, _, height, width = x.shape
        down, right = int(self.shift * height), int(self.shift * width)
        padded = F.pad(x, (right, right, down, down), mode=self.padding) if down or right else x
        on = x.device  # all of it, else each index waits for the other device
        rows = torch.arange(height, device=on) + torch.randint(2 * down + 1, (batch, 1), device=on)  # (B, H)
        columns = torch.arange(width, device=on) + torch.randint(2 * right + 1, (batch, 1), device=on)  # (B, W)
        if self.horizontal_flip:
            mirrored = torch.rand(batch, 1, device=on) < 0.5
            columns = torch.where(mirrored, columns.flip(1), columns)
        index = torch.arange(batch, device=on).view(-1, 1, 1)
        # Indexing by three tensors puts the channels last; they go back to where they were.
        moved: Tensor = padded.permute(0, 2, 3, 1)[index, rows.unsqueeze(2), columns.unsqueeze(1)]
        return moved.permute(0, 3, 1, 2).contiguous()


class RandomAffineAndFlip(nn.Module):
    """Rotate, shear, stretch, shift, flip and warp each image randomly and independently, with bilinear interpolation.

    Gradients flow through it to the images.

    Args:
        degrees: largest rotation to either side, 0 to 180.
        shift: largest shift in each direction, as a fraction of the image's side, in [0, 1).
        horizontal_flip: flip half of the images.
        fill: ``edge`` repeats the border, ``zero`` leaves black.
        shear: largest shear angle of vertical lines to either side, in degrees, 0 up to but not 90.
        stretch: largest growth or shrinkage of width and height, each by itself: 0.25 draws factors from 1 / 1.25
            to 1.25.
        warp: largest shift in each direction of each point of a 4x4 grid, as a fraction of the image's side, 0 or more;
            what lies between the points follows smoothly.
    """

    def __init__(
        self,
        degrees: float = 15.0,
        shift: float = 0.1,
        horizontal_flip: bool = True,
        fill: str = "edge",
        shear: float = 0.0,
        stretch: float = 0.0,
        warp: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0.0 <= degrees <= 180.0 or not 0.0 <= shift < 1.0:
            raise UserError(f"degrees must lie in [0, 180] and shift in [0, 1), not {degrees} and {shift}")
        if not 0.0 <= shear < 90.0 or min(stretch, warp) < 0.0:
            raise UserError(
                f"shear must lie in [0, 90), stretch and warp not below 0, not {shear}, {stretch} and {warp}"
            )
        self.degrees, self.shift, self.horizontal_flip = degrees, shift, horizontal_flip
        self.shear, self.stretch, self.warp, self.fill = shear, stretch, warp, fill
        self.padding = _padding_mode(fill, {"edge": "border", "zero": "zeros"})

    def forward(self, x: Tensor) -> Tensor:
        """Return the moved images ``(B, C, H, W)``, of the same shape."""
        batch, _, height, width = x.shape
        angle = around_zero(batch) * math.radians(self.degrees)
        mirror = torch.ones(batch)
        if self.horizontal_flip:
            mirror = torch.where(torch.rand(batch) < 0.5, -1.0, 1.0)
        # A grid runs from -1 to 1, so a shift by the whole side is 2; turning must know the sides' proportion.
        shift = around_zero(batch, 2) * 2 * self.shift
        slant = torch.tan(around_zero(batch) * math.radians(self.shear))
        wide, high = torch.exp(around_zero(batch, 2) * math.log1p(self.stretch)).unbind(dim=1)
        sin, cos, ratio = angle.sin(), angle.cos(), height / width
        # Where each pixel of the result is read: stretched, then slanted, turned, mirrored and shifted.
        theta = torch.stack(
            [
                torch.stack([mirror * cos * wide, mirror * (cos * slant - sin) * high * ratio, shift[:, 0]], dim=1),
                torch.stack([sin * wide / ratio, (sin * slant + cos) * high, shift[:, 1]], dim=1),
            ],
            dim=1,
        )
        grid = F.affine_grid(theta.to(x), list(x.shape), align_corners=False)
        if self.warp > 0:
            net = around_zero(batch, 2, NET, NET) * 2 * self.warp
            moved = F.interpolate(net.to(x), size=(height, width), mode="bicubic", align_corners=True)
            grid = grid + moved.permute(0, 2, 3, 1)
        return F.grid_sample(x, grid, mode="bilinear", padding_mode=self.padding, align_corners=False)


def around_zero(*size: int, generator: torch.Generator | None = None) -> Tensor:
    """Return numbers of this size, drawn between -1 and 1."""
    return torch.rand(size, generator=generator) * 2 - 1


def _padding_mode(fill: str, modes: dict[str, str]) -> str:
    if fill not in modes:
        raise UserError(f"fill is {fill!r}; choose one of {', '.join(modes)}")
    return modes[fill]
