"""Batches of images as one picture."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Picture = npt.NDArray[np.uint8]
"""``(H, W)`` grey or ``(H, W, 3)`` RGB, uint8."""

BACKGROUND = 255


def to_uint8(images: Tensor) -> Picture:
    """Turn images ``(N, C, H, W)`` in [0, 1] into ``(N, H, W, C)`` uint8.

    Values outside [0, 1] are clipped; what is not a number turns black.

    Raises:
        ValueError: if ``images`` has not four dimensions, or neither 1 nor 3 channels.
    """
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ValueError(f"images must be (N, 1 or 3, H, W), not {tuple(images.shape)}")
    pixels = images.detach().to("cpu", torch.float32).nan_to_num(0.0).clamp(0, 1) * 255
    array: Picture = pixels.round().byte().permute(0, 2, 3, 1).numpy()
    return array


def image_grid(
    images: Tensor,
    columns: int | None = None,
    pad: int = 2,
    min_tile: int = 64,
    row_labels: Sequence[str] | None = None,
) -> Picture:
    """Lay images out in rows, on white.

    Small images are enlarged by a whole factor, each pixel a square, so that a person sees them.

    Args:
        images: ``(N, C, H, W)`` in [0, 1]; C is 1 or 3.
        columns: tiles in a row; the default makes the grid about square.
        pad: white pixels around each tile.
        min_tile: the longer side of a tile is at least this many pixels; 0 keeps the size.
        row_labels: a short text to the left of each row.

    Returns:
        ``(H, W)`` for one channel, ``(H, W, 3)`` for three; uint8.

    Raises:
        ValueError: if there is no image, or not one label a row.
    """
    tiles = to_uint8(images)
    n, height, width, channels = tiles.shape
    if n == 0:
        raise ValueError("a grid needs at least one image")
    columns = math.ceil(math.sqrt(n)) if columns is None else min(columns, n)
    rows = math.ceil(n / columns)

    factor = max(1, math.ceil(min_tile / max(height, width)))
    tiles = tiles.repeat(factor, axis=1).repeat(factor, axis=2)
    height, width = height * factor, width * factor

    canvas = np.full((rows * (height + pad) + pad, columns * (width + pad) + pad, channels), BACKGROUND, dtype=np.uint8)
    for index, tile in enumerate(tiles):
        top = pad + (index // columns) * (height + pad)
        left = pad + (index % columns) * (width + pad)
        canvas[top : top + height, left : left + width] = tile
    picture: Picture = canvas[:, :, 0] if channels == 1 else canvas
    if row_labels is None:
        return picture
    if len(row_labels) != rows:
        raise ValueError(f"{len(row_labels)} row labels for {rows} rows")
    return _with_labels(picture, row_labels, row_height=height + pad, top=pad)


def _with_labels(picture: Picture, labels: Sequence[str], row_height: int, top: int) -> Picture:
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size=max(11, min(20, row_height // 4)))
    margin = 8
    width = margin * 2 + math.ceil(max(font.getlength(label) for label in labels))
    strip = Image.new("L", (width, picture.shape[0]), BACKGROUND)
    pen = ImageDraw.Draw(strip)
    for row, label in enumerate(labels):
        middle = top + row * row_height + row_height // 2
        pen.text((width - margin, middle), label, fill=0, font=font, anchor="rm")
    text = np.asarray(strip, dtype=np.uint8)
    if picture.ndim == 3:
        text = np.repeat(text[:, :, None], 3, axis=2)
    return np.concatenate([text, picture], axis=1)
