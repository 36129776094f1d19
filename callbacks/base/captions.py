"""Pictures with a line or two under each."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from callbacks.base.grids import BACKGROUND, Picture, to_uint8

if TYPE_CHECKING:
    from PIL import ImageFont  # imported where it is used: the command line starts without it

FONT_SIZE = 13


def captioned_grid(
    images: Tensor, captions: Sequence[str], columns: int | None = None, pad: int = 8, min_tile: int = 112
) -> Picture:
    """Lay images out in rows, on white, with a caption under each.

    Args:
        images: ``(N, C, H, W)`` in [0, 1]; C is 1 or 3. Small ones are enlarged by a whole factor.
        captions: one an image, of one line or more; a line that is wider than its tile is cut, and ends in ``…``.
        columns: tiles in a row; the default makes the grid about square.
        pad: white pixels around each tile.
        min_tile: a tile is at least this many pixels wide.

    Returns:
        ``(H, W)`` for one channel, ``(H, W, 3)`` for three; uint8.

    Raises:
        ValueError: if there is no image, or not one caption an image.
    """
    from PIL import Image, ImageDraw, ImageFont

    tiles = to_uint8(images)
    n, height, width, channels = tiles.shape
    if n == 0 or len(captions) != n:
        raise ValueError(f"{len(captions)} captions for {n} images: a grid needs one an image, and an image")
    columns = math.ceil(math.sqrt(n)) if columns is None else min(columns, n)
    factor = max(1, math.ceil(min_tile / width))
    tiles = tiles.repeat(factor, axis=1).repeat(factor, axis=2)
    height, width = height * factor, width * factor
    font = ImageFont.load_default(size=FONT_SIZE)
    line_height = FONT_SIZE + 4
    below = 4 + line_height * max(caption.count("\n") + 1 for caption in captions)

    mode = "L" if channels == 1 else "RGB"
    size = (columns * (width + pad) + pad, math.ceil(n / columns) * (height + below + pad) + pad)
    canvas = Image.new(mode, size, BACKGROUND if mode == "L" else (BACKGROUND,) * 3)
    pen = ImageDraw.Draw(canvas)
    black = 0 if mode == "L" else (0, 0, 0)
    for index, (tile, caption) in enumerate(zip(tiles, captions, strict=True)):
        left = pad + (index % columns) * (width + pad)
        top = pad + (index // columns) * (height + below + pad)
        canvas.paste(Image.fromarray(tile[:, :, 0] if channels == 1 else tile), (left, top))
        for number, line in enumerate(caption.split("\n")):
            place = (left + width // 2, top + height + 2 + number * line_height)
            pen.text(place, _fitted(line, font, width + pad - 2), fill=black, font=font, anchor="ma")
    return np.asarray(canvas, dtype=np.uint8)


def _fitted(line: str, font: "ImageFont.FreeTypeFont | ImageFont.ImageFont", width: int) -> str:
    measure = font.getlength
    if measure(line) <= width:
        return line
    while line and measure(line + "…") > width:
        line = line[:-1]
    return line + "…"


def displayable(images: Tensor) -> Tensor:
    """Return images ``(N, C, H, W)`` with 1 or 3 channels, float32 in [0, 1], of any numbers and channels.

    Images in [0, 1] with 1 or 3 channels stay as they are. Others, such as standardized ones, are stretched to
    [0, 1], each by itself; of any other number of channels the mean is shown.
    """
    images = images.detach().float()
    if images.shape[1] not in (1, 3):
        images = images.mean(dim=1, keepdim=True)
    if float(images.min()) >= 0.0 and float(images.max()) <= 1.0:
        return images
    low, high = images.amin(dim=(1, 2, 3), keepdim=True), images.amax(dim=(1, 2, 3), keepdim=True)
    return (images - low) / torch.clamp(high - low, min=1e-12)
