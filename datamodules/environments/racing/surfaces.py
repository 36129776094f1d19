"""Surfaces of pygame as arrays, and pictures of a window in the pixels of a smaller frame."""

from functools import cache
from typing import Any

import numpy as np
import pygame
from gymnasium.envs.box2d.car_racing import WINDOW_H, WINDOW_W

# Red, green and blue are then the first three bytes of each pixel.
MASKS = (0x0000FF, 0x00FF00, 0xFF0000, 0)


def surface_of(width: int, height: int) -> pygame.Surface:
    """Return a black surface of pixels of 32 bits, whose first three bytes are red, green and blue."""
    return pygame.Surface((width, height), 0, 32, MASKS)


def pixels_of(surface: pygame.Surface) -> Any:
    """Return a view ``(H, W)`` uint32 of the pixels of ``surface_of``."""
    return pygame.surfarray.pixels2d(surface).T


def colours_of(pixels: Any) -> Any:
    """Return pixels ``(..., W)`` uint32 as a view ``(..., W, 3)`` uint8 of their colours."""
    return pixels.view(np.uint8).reshape(*pixels.shape, 4)[..., :3]


@cache
def dimming(size: int) -> int:
    """Return by how many levels of 255 pygame makes colours darker when it shrinks Gymnasium's window to a frame."""
    window = surface_of(WINDOW_W, WINDOW_H)
    window.fill((255, 255, 255))
    shrunk = pygame.transform.smoothscale(window, (size, size))
    return 255 - int(colours_of(pixels_of(shrunk))[size // 2, size // 2, 0])


def area_weights(pixels: int, size: int) -> Any:
    """Return ``(size, pixels)`` float32, the part of each of ``pixels`` in a row in the mean of each of ``size``."""
    edges = np.arange(size + 1) * (pixels / size)
    starts = np.arange(pixels)
    shared = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
    return (np.maximum(shared, 0) * (size / pixels)).astype(np.float32)
