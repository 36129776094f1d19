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
SPEED, WHEELS, STEERING, TURNING = 5, (7, 8, 9, 10), 20, 30
"""Where each is drawn, in fortieths of the window's width."""

COLOURS = {SPEED: WHITE, 7: BLUE, 8: BLUE, 9: VIOLET, 10: VIOLET, STEERING: GREEN, TURNING: RED}


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
        self._light = np.empty((size - self.first, size, 3), dtype=np.uint8)

    def draw(self, frame: Any, score: float, car: Any) -> None:
        """Draw the bar on a frame ``(size, size, 3)`` uint8.

        Args:
            frame: the picture.
            score: return so far.
            car: Gymnasium's ``Car``.
        """
        size, light, wheels, hull = self.size, self._light, car.wheels, car.hull
        # What is drawn on black side by side adds up in the pixels that are shared. Whole bars are added: to find the
        # few columns that each fills would take longer.
        light[...] = _text(size, f"{score:04.0f}")
        velocity = hull.linearVelocity
        speed = math.sqrt(velocity[0] * velocity[0] + velocity[1] * velocity[1])
        if speed > TOO_SMALL:
            light += _column(size, SPEED, int(_height(0.02 * speed)))
        for place, wheel in zip(WHEELS, wheels, strict=True):
            omega = wheel.omega
            if abs(omega) > TOO_SMALL:
                light += _column(size, place, int(_height(0.01 * omega)))
        angle, turning = wheels[0].joint.angle, hull.angularVelocity
        if abs(angle) > TOO_SMALL:
            light += _row(size, STEERING, int((STEERING - 10.0 * angle) * UNIT_X))
        if abs(turning) > TOO_SMALL:
            light += _row(size, TURNING, int((TURNING - 0.8 * turning) * UNIT_X))
        if self.clear[0, 0, 0]:
            frame[self.first :] = frame[self.first :] * self.clear + light
        else:
            frame[self.first :] = light


def _height(value: float) -> float:
    """Return the upper edge of a column in pixels of the window."""
    return max(WINDOW_H - (UNIT_Y + UNIT_Y * value), TOP)


@cache
def _text(size: int, text: str) -> Any:
    pygame.font.init()
    font = pygame.font.Font(pygame.font.get_default_font(), 42)
    words = font.render(text, True, WHITE, (0, 0, 0))
    place = words.get_rect()
    place.center = (60, int(WINDOW_H - WINDOW_H * 2.5 / 40.0) - TOP)
    surface = surface_of(WINDOW_W, BAR)
    surface.blit(words, place)
    return _in_frame(surface, size)


@cache
def _column(size: int, place: int, top: int) -> Any:
    left, bottom = place * UNIT_X, WINDOW_H - UNIT_Y - TOP
    corners = [(left, top - TOP), (left + UNIT_X, top - TOP), (left + UNIT_X, bottom), (left, bottom)]
    surface = _drawn(corners, COLOURS[place])
    if place + 1 in WHEELS:  # pygame draws the last pixel too, which is the next column's first
        surface.fill((0, 0, 0), (int(left + UNIT_X), 0, 1, BAR))
    return _in_frame(surface, size)


@cache
def _row(size: int, place: int, end: int) -> Any:
    left, top, bottom = place * UNIT_X, WINDOW_H - 4 * UNIT_Y - TOP, WINDOW_H - 2 * UNIT_Y - TOP
    corners = [(left, top), (end, top), (end, bottom), (left, bottom)]
    return _in_frame(_drawn(corners, COLOURS[place]), size)


def _drawn(corners: Sequence[tuple[float, float]], colour: Sequence[int]) -> pygame.Surface:
    surface = surface_of(WINDOW_W, BAR)
    pygame.draw.polygon(surface, colour, corners)
    return surface


def _in_frame(surface: pygame.Surface, size: int) -> Any:
    """Return a drawing of the bar as the last rows of a frame, ``(rows, size, 3)`` uint8."""
    columns, rows = _weights(size)
    pixels = pygame.surfarray.array3d(surface).astype(np.float32)
    return np.ascontiguousarray(np.einsum("cx,xyk,ry->rck", columns, pixels, rows, optimize=True)).astype(np.uint8)


@cache
def _weights(size: int) -> tuple[Any, Any]:
    rows = area_weights(WINDOW_H, size)
    return area_weights(WINDOW_W, size), rows[TOP * size // WINDOW_H :, TOP:]
