"""Cartoon faces rendered from five attributes: the hair and its colour, glasses, clothing and its colour."""

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from dlmodules.errors import UserError

Color = tuple[int, int, int]

HAIR = (
    "NoHair",
    "LongHairBun",
    "LongHairCurly",
    "LongHairStraight",
    "ShortHairShortWaved",
    "ShortHairShortFlat",
    "ShortHairFrizzle",
)
HAIR_COLORS: dict[str, Color] = {
    "Black": (45, 40, 40),
    "Blonde": (230, 190, 90),
    "Brown": (120, 75, 45),
    "PastelPink": (245, 150, 150),
    "Red": (190, 70, 25),
    "SilverGray": (200, 200, 205),
}
ACCESSORIES = ("Blank", "Round", "Sunglasses")
CLOTHES = ("Hoodie", "Overall", "ShirtScoopNeck", "ShirtVNeck")
CLOTHES_COLORS: dict[str, Color] = {
    "Black": (40, 40, 45),
    "Blue01": (100, 200, 255),
    "Gray01": (150, 150, 155),
    "PastelGreen": (165, 250, 165),
    "PastelOrange": (255, 210, 160),
    "Pink": (255, 75, 140),
    "Red": (235, 60, 60),
    "White": (250, 250, 250),
}
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "topType": HAIR,
    "hairColor": tuple(HAIR_COLORS),
    "accessoriesType": ACCESSORIES,
    "clothingType": CLOTHES,
    "clothingColor": tuple(CLOTHES_COLORS),
}
SIZES = tuple(len(values) for values in ATTRIBUTES.values())

SKIN: Color = (245, 212, 170)
SHADE: Color = (215, 180, 140)
INK: Color = (50, 40, 45)
MOUTH: Color = (150, 50, 50)
SKY: Color = (150, 190, 220)
SHIRT: Color = (225, 225, 225)
UNIT = 4  # pixels of the drawing for each of the 64 units of its side; it is scaled down afterwards


# Rows of each category, in the order of ATTRIBUTES. Every column has 50.
FREQUENCIES = (
    (7, 0, 1, 23, 1, 11, 7),
    (7, 6, 2, 3, 8, 24),
    (11, 22, 17),
    (7, 18, 19, 6),
    (0, 4, 10, 5, 2, 4, 3, 22),
)


def draw_faces(rows: Tensor, size: int = 64) -> Tensor:
    """Draw faces of attributes ``rows (N, 5)`` int64, in the order of ``ATTRIBUTES``: ``(N, 3, size, size)`` uint8.

    Raises:
        UserError: rows that are not five categories in their ranges.
    """
    if rows.ndim != 2 or rows.shape[1] != len(SIZES) or bool(((rows < 0) | (rows >= torch.tensor(SIZES))).any()):
        raise UserError(f"a face is drawn of 5 categories, each from 0 and below {list(SIZES)}, in this order")
    distinct, place = torch.unique(rows, dim=0, return_inverse=True)  # many rows are the same face
    faces = [np.asarray(_face(row, size)) for row in distinct.tolist()]
    images = torch.from_numpy(np.stack(faces)).permute(0, 3, 1, 2) if faces else torch.zeros(0, 3, size, size)
    return images.to(torch.uint8)[place].contiguous()


def _face(row: list[int], size: int) -> Image.Image:
    hair, hair_color, accessory, clothes, clothes_color = (
        values[number] for values, number in zip(ATTRIBUTES.values(), row, strict=True)
    )
    image = Image.new("RGB", (64 * UNIT, 64 * UNIT), SKY)
    pen = _Pen(image)
    _hair_behind(pen, hair, HAIR_COLORS[hair_color])
    _body(pen, clothes, CLOTHES_COLORS[clothes_color])
    _head(pen)
    _hair_before(pen, hair, HAIR_COLORS[hair_color])
    _glasses(pen, accessory)
    return image.resize((size, size), Image.Resampling.BOX)


class _Pen:
    """Draws in units of a 64th of the picture's side."""

    def __init__(self, image: Image.Image) -> None:
        self.draw = ImageDraw.Draw(image)

    def disc(self, x: float, y: float, rx: float, ry: float, color: Color) -> None:
        self.draw.ellipse(_scaled(x - rx, y - ry, x + rx, y + ry), fill=color)

    def ring(self, x: float, y: float, r: float, color: Color, width: float) -> None:
        self.draw.ellipse(_scaled(x - r, y - r, x + r, y + r), outline=color, width=round(width * UNIT))

    def box(self, left: float, top: float, right: float, bottom: float, color: Color, round_by: float = 0) -> None:
        self.draw.rounded_rectangle(_scaled(left, top, right, bottom), radius=round_by * UNIT, fill=color)

    def polygon(self, *points: float, color: Color) -> None:
        self.draw.polygon(_scaled(*points), fill=color)

    def cap(self, x: float, y: float, rx: float, ry: float, color: Color) -> None:
        """Draw the upper half of a disc."""
        self.draw.pieslice(_scaled(x - rx, y - ry, x + rx, y + ry), 180, 360, fill=color)

    def smile(self, left: float, top: float, right: float, bottom: float, color: Color) -> None:
        self.draw.chord(_scaled(left, top, right, bottom), 0, 180, fill=color)

    def line(self, *points: float, color: Color, width: float) -> None:
        self.draw.line(_scaled(*points), fill=color, width=round(width * UNIT))


def _scaled(*numbers: float) -> list[float]:
    return [number * UNIT for number in numbers]


def _darker(color: Color) -> Color:
    red, green, blue = (part * 3 // 4 for part in color)
    return red, green, blue


def _hair_behind(pen: _Pen, hair: str, color: Color) -> None:
    if hair == "LongHairStraight":
        pen.box(16, 9, 48, 54, color, round_by=9)
    elif hair == "LongHairCurly":
        for y in range(14, 54, 7):
            for x in (18, 46):
                pen.disc(x, y, 6, 6, color)
        pen.disc(32, 14, 16, 10, color)
    elif hair == "LongHairBun":
        pen.disc(32, 6, 6, 6, _darker(color))


def _body(pen: _Pen, clothes: str, color: Color) -> None:
    if clothes == "Hoodie":
        pen.disc(32, 46, 14, 9, _darker(color))
    pen.box(27, 36, 37, 54, SHADE)
    pen.box(9, 48, 55, 80, SHIRT if clothes == "Overall" else color, round_by=12)
    if clothes == "Hoodie":
        pen.disc(32, 47, 6, 5, SHADE)
        for x in (28, 36):
            pen.line(x, 51, x, 59, color=_darker(color), width=1)
    elif clothes == "Overall":
        pen.disc(32, 48, 6, 4, SHADE)
        pen.box(20, 48, 24, 64, color)
        pen.box(40, 48, 44, 64, color)
        pen.box(20, 57, 44, 66, color)
    elif clothes == "ShirtScoopNeck":
        pen.disc(32, 48, 9, 6, SHADE)
    else:
        pen.polygon(25, 47.5, 39, 47.5, 32, 59, color=SHADE)


def _head(pen: _Pen) -> None:
    for x in (19, 45):
        pen.disc(x, 29, 2.5, 3.5, SHADE)
    pen.disc(32, 27, 13, 16, SKIN)
    for eye in (26.5, 37.5):
        pen.disc(eye, 27, 1.7, 1.9, INK)
        pen.line(eye - 3, 22.5, eye + 3, 22.5, color=INK, width=1)
    pen.disc(32, 31.5, 1.6, 1, SHADE)
    pen.smile(27, 31, 37, 39, MOUTH)


def _hair_before(pen: _Pen, hair: str, color: Color) -> None:
    if hair in ("LongHairStraight", "LongHairBun"):
        pen.cap(32, 20, 13.5, 11, color)
    elif hair == "LongHairCurly":
        for x in range(21, 46, 5):
            pen.disc(x, 13, 4, 4, color)
    elif hair == "ShortHairShortWaved":
        for x, y in ((21, 17), (25, 13), (30, 11), (35, 11), (40, 13), (43, 17)):
            pen.disc(x, y, 4, 4.5, color)
    elif hair == "ShortHairShortFlat":
        pen.box(19, 8, 45, 17, color, round_by=2)
        pen.box(18.5, 12, 21.5, 25, color)
        pen.box(42.5, 12, 45.5, 25, color)
    elif hair == "ShortHairFrizzle":
        for x in range(21, 45, 2):
            pen.polygon(x - 3, 17, x + 3, 17, x + (x - 32) / 3, 3 + x % 4, color=color)
        pen.cap(32, 18, 13, 10, color)


def _glasses(pen: _Pen, accessory: str) -> None:
    if accessory == "Blank":
        return
    pen.line(19, 26, 45, 26, color=INK, width=1)
    for x in (26, 38):
        if accessory == "Round":
            pen.ring(x, 27, 5, INK, width=1)
        else:
            pen.box(x - 5.5, 24, x + 5.5, 31, INK, round_by=2)


def drawn_rows(n: int, seed: int) -> Tensor:
    """Draw ``n`` rows ``(n, 5)`` int64, each column by its frequencies and by itself."""
    rng = np.random.default_rng(seed)
    columns = [rng.choice(len(f), size=n, p=np.array(f) / sum(f)) for f in FREQUENCIES]
    return torch.from_numpy(np.stack(columns, axis=1)).long()
