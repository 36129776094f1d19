"""Naive Bayes on the pixels of images of 256 colours."""

from collections.abc import Sequence

import torch
from torch import Tensor
from typing_extensions import override

from dlmodules.densities.naive_bayes import NaiveBayes
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.sampling.examples import example_inputs, example_labels
from dlmodules.validation.images import check_images, check_unit_range
from dlmodules.validation.labels import refuse_labels

COLORS = 256
STEPS = (7, 7, 3)  # red, green and blue of the palette go from 0 to 1 in so many steps: 8 * 8 * 4 colours


class PixelNaiveBayes(NaiveBayes):
    """Naive Bayes on pixels: each of the 1,024 pixels of an image has its own table of 256 colours.

    261,120 free parameters by default. What all images have in one place comes out right, such as the colour of a
    face; what differs between them is mixed pixel by pixel into noise. It logs what ``Density`` logs, of images.

    Paper: Maron 1961, Automatic Indexing: An Experimental Inquiry, JACM 8.
    Books: foster F1.5.

    Args:
        image_shape: channels, height and width of the images ``(B, C, H, W)``, float in [0, 1]. Three channels are
            rounded to a palette of 8 reds, 8 greens and 4 blues, one channel to 256 greys.
        pseudocount: added to the count of every colour of a pixel, 0 or more.

    Raises:
        UserError: an argument out of range, images of another shape or range, more than one process, or a likelihood
            or sample requested before any image was counted.
    """

    def __init__(self, image_shape: Sequence[int] = (3, 32, 32), pseudocount: float = 0.0) -> None:
        if len(image_shape) != 3 or image_shape[0] not in (1, 3) or min(image_shape) < 1:
            raise UserError(f"image_shape is {list(image_shape)}; it must be 1 or 3 channels, height and width")
        super().__init__(sizes=[COLORS] * (image_shape[1] * image_shape[2]), pseudocount=pseudocount)
        self.image_shape = self.input_shape = tuple(image_shape)

    @override
    def rows(self, x: Tensor) -> Tensor:
        """Return the palette's indices ``(B, H * W)`` of images ``(B, C, H, W)``."""
        check_images(x, self.image_shape, type(self).__name__)
        check_unit_range(x, type(self).__name__)
        return palette_indices(x).flatten(1)

    def sample(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Sample ``n`` images ``(n, C, H, W)`` in [0, 1], pixel by pixel. ``labels`` must be None."""
        refuse_labels(labels, type(self).__name__)
        indices = self.sample_rows(n, generator).view(n, *self.image_shape[1:])
        return palette_colors(indices, self.image_shape[0])

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up images ``(n, *image_shape)`` in [0, 1), and labels, which it does not look at."""
        return example_inputs(n, self.image_shape, self.device), example_labels(n, 1, self.device)


def palette_indices(images: Tensor) -> Tensor:
    """Return the index ``(B, H, W)`` of the nearest colour, or grey, of each pixel of images ``(B, C, H, W)``."""
    if images.shape[1] == 1:
        return (images[:, 0] * (COLORS - 1)).round().long()
    red, green, blue = ((images[:, channel] * steps).round().long() for channel, steps in enumerate(STEPS))
    return (red << 5) | (green << 2) | blue


def palette_colors(indices: Tensor, channels: int) -> Tensor:
    """Return the images ``(B, channels, H, W)`` float32 in [0, 1] of indices ``(B, H, W)``; channels is 1 or 3."""
    if channels == 1:
        return indices[:, None].float() / (COLORS - 1)
    parts = (indices >> 5, (indices >> 2) & 7, indices & 3)
    return torch.stack([part.float() / steps for part, steps in zip(parts, STEPS, strict=True)], dim=1)
