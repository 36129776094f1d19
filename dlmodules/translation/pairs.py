"""Batches of the images of two domains."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from torch import Tensor

from dlmodules.errors import UserError
from dlmodules.protocols import IMAGE_PAIR
from dlmodules.validation.batches import inputs_in, parts_of
from dlmodules.validation.images import check_images, check_unit_range
from dlmodules.validation.labels import check_labels


class ImagePairs(NamedTuple):
    """Images of both domains, in [0, 1] or in the range of the networks that read them.

    Args:
        a: ``(B, *source_shape)``.
        b: ``(B, *image_shape)``; of the same things as ``a`` where the data are paired.
        labels_a: ``(B,)`` int64, the classes of ``a``; None where there are none.
        labels_b: those of ``b``.
    """

    a: Tensor
    b: Tensor
    labels_a: Tensor | None = None
    labels_b: Tensor | None = None


def check_pair_labels(pairs: ImagePairs, num_classes: int, name: str) -> None:
    """Raise UserError unless the labels of either domain, where there are any, are classes of the module ``name``."""
    for labels in (pairs.labels_a, pairs.labels_b):
        if labels is not None:
            check_labels(labels, len(labels), num_classes, name)


def image_pairs(batch: Any, shapes: Iterable[tuple[int, ...]], name: str, batch_idx: int = 0) -> ImagePairs:
    """Return the images of a batch in [0, 1], and their labels.

    Args:
        batch: ``(a, b)``, ``(a, b, labels_a, labels_b)``, or a dictionary with these names.
        shapes: channels, height and width of the images of each domain.
        name: of the module that needs it, for messages.
        batch_idx: its number; only in the first is it checked that the images lie in [0, 1].

    Raises:
        UserError: the batch has no images of both domains, or they have other shapes or leave [0, 1].
    """
    fields = parts_of(batch, IMAGE_PAIR)
    if len(fields) not in (2, 4) or not fields[1].is_floating_point():
        raise UserError(
            f"{name} needs batches of images and targets: those of one domain and those of the other, and perhaps the"
            " classes of both; choose another --data, such as PairDataModule"
        )
    a, b = (inputs_in((field,)) for field in fields[:2])
    for x, shape, argument in zip((a, b), shapes, ("source_shape", "image_shape"), strict=True):
        check_images(x, shape, name, argument)
        if batch_idx == 0:  # see validation.device_reads
            check_unit_range(x, name)
    return ImagePairs(a, b, *(labels.long() for labels in fields[2:]))
