"""Digits in print, drawn in many fonts, as masks; and what makes house numbers of them."""

from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSerif"),
    *("DejaVuSerif-Bold", "DejaVuSerif-Italic", "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "cmr10", "cmb10"),
    *("cmss10", "cmtt10"),
)
"""Those that matplotlib has, which need no download."""
GLYPH, TALL = 64, 40
"""Pixels of the square that a digit is drawn on, and of the digit's height."""
CONTRAST = 0.3
"""Least distance of the digit's brightness to that of its background."""


@cache
def glyphs() -> Tensor:
    """Return the masks ``(fonts, 10, 64, 64)`` in [0, 1] of all digits, in the middle and of one height."""
    import matplotlib as mpl
    from PIL import Image, ImageDraw, ImageFont

    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    drawn = np.zeros((len(FONTS), 10, GLYPH, GLYPH), dtype=np.float32)
    for row, name in enumerate(FONTS):
        font = ImageFont.truetype(str(folder / f"{name}.ttf"), 3 * TALL)  # a path is for newer versions of Pillow
        for digit in range(10):
            left, top, right, bottom = font.getbbox(str(digit))
            image = Image.new("L", (int(right - left), int(bottom - top)))
            ImageDraw.Draw(image).text((-left, -top), str(digit), fill=255, font=font)
            width = max(1, round(image.width * TALL / image.height))
            image = image.resize((min(width, GLYPH), TALL), Image.Resampling.LANCZOS)
            at = (GLYPH - image.width) // 2, (GLYPH - TALL) // 2
            drawn[row, digit, at[1] : at[1] + TALL, at[0] : at[0] + image.width] = np.asarray(image) / 255
    return torch.from_numpy(drawn)


def _between(low: float, high: float, n: int, draw: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=draw)


def house_numbers(digits: Tensor, patches: Tensor, draw: torch.Generator) -> Tensor:
    """Return images ``(N, 3, S, S)`` in [0, 1] of digits on walls, in any font and colour, with others beside them.

    Args:
        digits: that in the middle of each image, ``(N,)`` int64 in 0 to 9.
        patches: of photographs, ``(N, 3, S, S)`` in [0, 1], which the walls are made of.
        draw: of all that is random.
    """
    n, size = len(digits), patches.shape[-1]
    fonts = torch.randint(len(FONTS), (n,), generator=draw)
    others = torch.randint(10, (2, n), generator=draw)
    shown = torch.rand(2, n, generator=draw) < 0.4
    height, angle = _between(0.55, 0.85, n, draw), _between(-0.2, 0.2, n, draw)
    shear, stretch = _between(-0.15, 0.15, n, draw), _between(0.8, 1.25, n, draw)
    shift = torch.stack([_between(-0.12, 0.12, n, draw) for _ in range(2)], dim=1)
    gap = _between(0.9, 1.2, n, draw) * height * 1.25
    # From places of the image, in [-1, 1], to places of the glyph: undone in the order it was done.
    zoom = TALL / GLYPH / height
    cos, sin = angle.cos(), angle.sin()
    turned = torch.stack(
        [
            torch.stack([stretch * (cos + shear * sin), stretch * (-sin + shear * cos)], dim=1),
            torch.stack([sin, cos], dim=1),
        ],
        dim=1,
    )
    matrix = turned * zoom[:, None, None]
    mask = torch.zeros(n, 1, size, size)
    for digit, visible, side in (
        (digits, torch.ones(n, dtype=torch.bool), 0.0),
        (others[0], shown[0], -1.0),
        (others[1], shown[1], 1.0),
    ):
        centre = shift + torch.stack([side * gap, torch.zeros(n)], dim=1)
        offset = -(matrix @ centre[:, :, None])
        grid = F.affine_grid(torch.cat([matrix, offset], dim=2), [n, 1, 2 * size, 2 * size], align_corners=False)
        drawn = F.grid_sample(glyphs()[fonts, digit][:, None], grid, align_corners=False)
        mask = torch.maximum(mask, F.avg_pool2d(drawn, 2) * visible[:, None, None, None])
    wall = torch.rand(n, 3, 1, 1, generator=draw)
    share = _between(0.1, 0.6, n, draw)[:, None, None, None]
    wall = share * patches + (1 - share) * wall
    paint = _paint(wall.mean(dim=(1, 2, 3)), draw)
    image = wall * (1 - mask) + paint * mask
    blurred = F.avg_pool2d(F.pad(image, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    blur = torch.rand(n, 1, 1, 1, generator=draw)
    image = blur * blurred + (1 - blur) * image
    contrast, level = (_between(*ends, n, draw)[:, None, None, None] for ends in ((0.5, 1.0), (-0.15, 0.15)))
    image = (image - 0.5) * contrast + 0.5 + level + 0.02 * torch.randn(image.shape, generator=draw)
    return image.clamp(0, 1)


def _paint(wall: Tensor, draw: torch.Generator) -> Tensor:
    """Return a colour ``(N, 3, 1, 1)`` for each wall ``(N,)``, brighter or darker by ``CONTRAST`` at least."""
    n = len(wall)
    room_above, room_below = (1 - wall - CONTRAST).clamp(min=0), (wall - CONTRAST).clamp(min=0)
    above = torch.rand(n, generator=draw) * (room_above + room_below) < room_above
    strength = torch.rand(n, generator=draw)
    brightness = torch.where(above, wall + CONTRAST + strength * room_above, wall - CONTRAST - strength * room_below)
    colour = brightness[:, None] + 0.25 * (torch.rand(n, 3, generator=draw) - 0.5)
    return colour.clamp(0, 1)[:, :, None, None]
