"""Images and labels of a batch, and how they are kept."""

from typing import Any

import torch
from torch import Tensor

from dlmodules.errors import UserError
from dlmodules.validation.batches import fields_of, inputs_in


def images_and_labels(batch: Any) -> tuple[Tensor, Tensor | None]:
    """Split a batch into images ``(B, C, H, W)`` and, where there are any, labels.

    These are whole numbers: ``(B,)`` the class of each image, or ``(B, A)`` a number for each of A attributes.

    Raises:
        UserError: if the batch is neither images nor starts with them.
    """
    try:
        parts = fields_of(batch)
    except UserError:
        parts = ()
    images = parts[0] if parts else None
    if not isinstance(images, Tensor) or images.ndim != 4:
        raise UserError("a batch must be images (B, C, H, W), or a tuple that starts with them, to be plotted")
    images = inputs_in((images,))  # in the precision in which a step takes it
    labels = parts[1] if len(parts) > 1 else None
    is_labels = isinstance(labels, Tensor) and labels.ndim in (1, 2) and not labels.is_floating_point()
    return images, labels if is_labels else None


def compact(images: Tensor) -> Tensor:
    """Keep a copy of 8-bit images in 8 bits: a quarter of the memory, and nothing lost; of any others as they are."""
    small = (images * 255).round().clamp(0, 255).byte()
    return small if torch.allclose(small.to(images.dtype) / 255, images, rtol=0, atol=1e-6) else images.clone()


def as_float(images: Tensor) -> Tensor:
    """Return 8-bit images as float32 in [0, 1]; any others as they are."""
    return images.float() / 255 if images.dtype == torch.uint8 else images
