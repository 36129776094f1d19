"""A map of the codes of two numbers: the images decoded all over it, or the codes of images, and where a code lies."""

from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from callbacks.base.grids import Picture, image_grid
from dlmodules_cli.explore.codes import Code, first_code, slider_range
from dlmodules_cli.explore.pictures import decode
from dlmodules_cli.explore.subject import Subject

SIDE = 448
"""Width and height of the map in pixels."""

TILES = 14
"""Decoded images on each side; each is as wide as on the 28 pixels of MNIST, or a little more."""

DOT, RING = 2, 7
"""Radius of a code, and of the ring around the code that is decoded."""

View = Literal["decoded", "codes"]

Limits = tuple[tuple[float, float], tuple[float, float]]
"""Where the map ends: left and right, and bottom and top."""


class CodeMap:
    """The map of a module whose codes have two numbers; the first goes to the right, the second up.

    It spans the codes of images where the run left some, else what the sliders span.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.limits = _limits(subject)
        self._grounds: dict[tuple[View, int | None], Image.Image] = {}

    @property
    def views(self) -> list[View]:
        """What the map can show; the first one at first."""
        return ["decoded"] if self.subject.codes is None else ["codes", "decoded"]

    def picture(self, code: Code, view: View, label: int | None = None) -> Picture:
        """Return the map ``(SIDE, SIDE, 3)``, of class ``label``, with a ring around ``code`` ``(2,)``."""
        if (view, label) not in self._grounds:
            self._grounds[view, label] = self._codes() if view == "codes" else self._decoded(label)
        picture = self._grounds[view, label].copy()
        pen = ImageDraw.Draw(picture)
        ((x, y),) = self._places(code[None])
        for radius, colour in ((RING + 1, "white"), (RING, "black"), (RING - 1, "red"), (RING - 2, "red")):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=colour)
        return np.asarray(picture, dtype=np.uint8)

    def code_at(self, x: float, y: float) -> Code:
        """Return the code ``(2,)`` of a place of the map: ``x`` pixels from its left, ``y`` from its top."""
        fractions = (x + 0.5) / SIDE, 1 - (y + 0.5) / SIDE
        return np.array(
            [low + fraction * (high - low) for fraction, (low, high) in zip(fractions, self.limits, strict=True)],
            dtype=np.float32,
        )

    def _places(self, codes: Code) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """Return the pixels ``(N, 2)``, from left and from top, of codes ``(N, 2)``."""
        low, high = np.array(self.limits, dtype=np.float64).T
        fractions = (codes - low) / (high - low)
        fractions[:, 1] = 1 - fractions[:, 1]
        places: np.ndarray[tuple[int, int], np.dtype[np.float64]] = fractions * SIDE - 0.5
        return places

    def _decoded(self, label: int | None) -> Image.Image:
        middles = (np.arange(TILES) + 0.5) * SIDE / TILES - 0.5
        codes = np.stack([self.code_at(x, y) for y in middles for x in middles])
        tiles = image_grid(decode(self.subject, codes, label), TILES, pad=0, min_tile=0)
        return Image.fromarray(tiles).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)

    def _codes(self) -> Image.Image:
        from matplotlib import colormaps

        found = self.subject.codes
        assert found is not None
        labels = np.zeros(len(found.codes), dtype=np.int64) if found.labels is None else found.labels
        palette = colormaps["tab10" if len(found.names) <= 10 else "tab20"]
        colours = [tuple(int(255 * part) for part in palette(index % palette.N)[:3]) for index in range(palette.N)]
        picture = Image.new("RGB", (SIDE, SIDE), "white")
        pen = ImageDraw.Draw(picture)
        places = self._places(found.codes)
        for (x, y), label in zip(places.tolist(), labels.tolist(), strict=True):
            pen.ellipse((x - DOT, y - DOT, x + DOT, y + DOT), fill=colours[label % palette.N])
        if found.labels is not None:
            font = ImageFont.load_default(size=20)
            for label in np.unique(labels).tolist():
                x, y = np.median(places[labels == label], axis=0).tolist()
                name = found.names[label]
                pen.text((x, y), name, fill="black", font=font, anchor="mm", stroke_width=3, stroke_fill="white")
        return picture


def _limits(subject: Subject) -> Limits:
    if subject.codes is None:
        code = first_code(subject)
        return slider_range(subject, code, 0), slider_range(subject, code, 1)
    low, high = subject.codes.codes.min(axis=0), subject.codes.codes.max(axis=0)
    room = np.maximum(0.04 * (high - low), 1e-3)
    left, bottom = (low - room).tolist()
    right, top = (high + room).tolist()
    return (left, right), (bottom, top)
