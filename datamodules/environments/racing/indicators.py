"""The bar below the picture: the return so far, speed, turning wheels, steering and the car's own turn."""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pygame
from gymnasium.envs.box2d.car_racing import WINDOW_H, WINDOW_W

from datamodules.environments.racing.surfaces import area_weights, surface_of

BAR = WINDOW_H // 8
"""Pixels of the window that the bar takes."""

TOP = WINDOW_H - BAR
UNIT_X, UNIT_Y = WINDOW_W / 40, WINDOW_H / 40
WHITE, BLUE, VIOLET, GREEN, RED = (255, 255, 255), (0, 0, 255), (51, 0, 255), (0, 255, 0), (255, 0, 0)
TOO_SMALL = 1e-4  # what is smaller is not drawn
WHEELS = ((7, BLUE), (8, BLUE), (9, VIOLET), (10, VIOLET))


class Indicators:
    """Draws what Gymnasium's CarRacing shows below the picture.

    Args:
        size: of a frame, in pixels.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.first = TOP * size // WINDOW_H
        self.clear = np.zeros((size - self.first, 1, 1), dtype=np.float32)
        # In a size that is no multiple of 8 a row shows both the picture and the bar.
        self.clear[0] = TOP * size / WINDOW_H - self.first

    def draw(self, frame: Any, score: float, car: Any) -> None:
        """Draw the bar on a frame ``(size, size, 3)`` uint8.

        Args:
            frame: the picture.
            score: return so far.
            car: Gymnasium's ``Car``.
        """
        bar = frame[self.first :]
        if self.clear[0, 0, 0]:
            bar[...] = bar * self.clear
        else:
            bar[...] = 0
        size, wheels, hull = self.size, car.wheels, car.hull
        self._add(bar, _text(size, f"{score:04.0f}"))
        velocity = hull.linearVelocity
        speed = math.sqrt(velocity[0] * velocity[0] + velocity[1] * velocity[1])
        if speed > TOO_SMALL:
            self._add(bar, _column(size, 5, int(_height(0.02 * speed)), WHITE))
        for (place, colour), wheel in zip(WHEELS, wheels, strict=True):
            if abs(wheel.omega) > TOO_SMALL:
                self._add(bar, _column(size, place, int(_height(0.01 * wheel.omega)), colour))
        for place, value, factor, colour in (
            (20, wheels[0].joint.angle, -10.0, GREEN),
            (30, hull.angularVelocity, -0.8, RED),
        ):
            if abs(value) > TOO_SMALL:
                self._add(bar, _row(size, place, int((place + factor * value) * UNIT_X), colour))

    @staticmethod
    def _add(bar: Any, patch: tuple[slice, Any]) -> None:
        # What is drawn on black side by side adds up in the pixels that are shared.
        columns, light = patch
        bar[:, columns] += light


def _height(value: float) -> float:
    """Return the upper edge of a column in pixels of the window."""
    return max(WINDOW_H - (UNIT_Y + UNIT_Y * value), TOP)


@cache
def _text(size: int, text: str) -> tuple[slice, Any]:
    pygame.font.init()
    font = pygame.font.Font(pygame.font.get_default_font(), 42)
    words = font.render(text, True, WHITE, (0, 0, 0))
    place = words.get_rect()
    place.center = (60, int(WINDOW_H - WINDOW_H * 2.5 / 40.0) - TOP)
    surface = surface_of(WINDOW_W, BAR)
    surface.blit(words, place)
    return _in_frame(surface, size)


@cache
def _column(size: int, place: int, top: int, colour: Sequence[int]) -> tuple[slice, Any]:
    left, bottom = place * UNIT_X, WINDOW_H - UNIT_Y - TOP
    corners = [(left, top - TOP), (left + UNIT_X, top - TOP), (left + UNIT_X, bottom), (left, bottom)]
    surface = _drawn(corners, colour)
    if place + 1 in dict(WHEELS):  # pygame draws the last pixel too, which is the next column's first
        surface.fill((0, 0, 0), (int(left + UNIT_X), 0, 1, BAR))
    return _in_frame(surface, size)


@cache
def _row(size: int, place: int, end: int, colour: Sequence[int]) -> tuple[slice, Any]:
    left, top, bottom = place * UNIT_X, WINDOW_H - 4 * UNIT_Y - TOP, WINDOW_H - 2 * UNIT_Y - TOP
    return _in_frame(_drawn([(left, top), (end, top), (end, bottom), (left, bottom)], colour), size)


def _drawn(corners: Sequence[tuple[float, float]], colour: Sequence[int]) -> pygame.Surface:
    surface = surface_of(WINDOW_W, BAR)
    pygame.draw.polygon(surface, colour, corners)
    return surface


def _in_frame(surface: pygame.Surface, size: int) -> tuple[slice, Any]:
    """Return the columns of a frame where a drawing of the bar is not black, and it in them, uint8."""
    columns, rows = _weights(size)
    pixels = pygame.surfarray.array3d(surface).astype(np.float32)
    light = np.einsum("cx,xyk,ry->rck", columns, pixels, rows, optimize=True)
    used = np.flatnonzero(light.any(axis=(0, 2)))
    if not len(used):
        return slice(0, 0), np.zeros((len(rows), 0, 3), dtype=np.uint8)
    part = slice(used[0], used[-1] + 1)
    return part, np.ascontiguousarray(light[:, part]).astype(np.uint8)


@cache
def _weights(size: int) -> tuple[Any, Any]:
    rows = area_weights(WINDOW_H, size)
    return area_weights(WINDOW_W, size), rows[TOP * size // WINDOW_H :, TOP:]
