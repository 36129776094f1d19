"""Pairs of images and the edges in them."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from datamodules.pairs.derived import DerivedPairsDataModule
from dlmodules.errors import UserError


class EdgesDataModule(DerivedPairsDataModule):
    """Images ``b`` and their edges ``a`` by Canny's detector, white on black, of one channel: a drawing to be coloured.

    Needs OpenCV: ``pip install 'dlmodules[edges]'``.

    Args:
        low: strength from which an edge goes on, 0 to 255 of a difference of neighbouring pixels, as Sobel weighs it.
        high: strength from which one begins.
        **kwargs: of ``DerivedPairsDataModule``.

    Raises:
        UserError: for numbers out of range, and without OpenCV.
    """

    def __init__(self, low: float = 100.0, high: float = 200.0, **kwargs: Any) -> None:
        if not 0 <= low <= high:
            raise UserError(f"low={low} and high={high} must rise from 0")
        super().__init__(**kwargs)
        self.low, self.high = low, high

    @override
    def derive(self, images: Tensor) -> Tensor:
        try:
            import cv2
        except ModuleNotFoundError as error:
            raise UserError("EdgesDataModule needs OpenCV: pip install 'dlmodules[edges]'") from error
        pixels = images.permute(0, 2, 3, 1).contiguous().numpy()
        found = [cv2.Canny(image.squeeze(2) if image.shape[2] == 1 else image, self.low, self.high) for image in pixels]
        return torch.from_numpy(np.stack(found))[:, None]
