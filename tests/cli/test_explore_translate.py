"""What the tab that translates images shows, without the page."""

from typing import ClassVar

import numpy as np
import torch
from PIL import Image
from pytorch_lightning import LightningModule
from torch import Tensor

from callbacks.base.grids import image_grid
from dlmodules import Pix2Pix
from dlmodules_cli.explore.subject import subject_of
from dlmodules_cli.explore.translate_tab import TranslateTab, translated_picture


class BothWays(LightningModule):
    """Grey images become their negatives in three channels, and coloured ones their red channel."""

    domain_shapes: ClassVar[dict[str, tuple[int, ...]]] = {"a": (1, 8, 8), "b": (3, 8, 8)}
    directions = ("a2b", "b2a")

    def translate(self, x: Tensor, direction: str = "a2b") -> Tensor:
        assert x.shape[1:] == self.domain_shapes[direction[0]]
        return 1 - x.expand(-1, 3, -1, -1) if direction == "a2b" else x[:, :1]


def test_an_image_and_its_translation_stand_side_by_side() -> None:
    subject = subject_of(BothWays().eval())
    assert TranslateTab.suits(subject)
    assert subject.image_shape == (1, 8, 8)
    image = Image.new("RGB", (20, 30), (200, 0, 0))
    forth = translated_picture(subject, image, "a2b")
    grey = round(0.299 * 200) / 255
    tiles = torch.cat([torch.full((1, 3, 8, 8), grey), torch.full((1, 3, 8, 8), 1 - grey)])
    assert np.array_equal(forth, image_grid(tiles, 2, min_tile=208))
    back = translated_picture(subject, image, "b2a")
    red = torch.zeros(1, 3, 8, 8)
    red[:, 0] = 200 / 255
    assert np.array_equal(back, image_grid(torch.cat([red, torch.full((1, 3, 8, 8), 200 / 255)]), 2, min_tile=208))


def test_pix2pix_can_be_explored() -> None:
    subject = subject_of(Pix2Pix((1, 16, 16), (3, 16, 16), width=2, layers=1).eval())
    assert TranslateTab.suits(subject)
    picture = translated_picture(subject, Image.new("L", (16, 16)), "a2b")
    assert picture.shape == (2 * 2 + 208, 3 * 2 + 2 * 208, 3)
