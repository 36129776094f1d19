"""Checks of the sizes of images that networks of translators read and make."""

from collections.abc import Sequence

from dlmodules.errors import UserError
from dlmodules.validation.images import check_image_shape


def check_sizes(
    source_shape: Sequence[int],
    image_shape: Sequence[int],
    factor: int = 1,
    network: str = "it",
    normed: bool = False,
) -> None:
    """Raise UserError unless both are shapes ``(C, H, W)`` of one size, whose sides are multiples of ``factor``.

    Where the network is ``normed`` by each image's own statistics at that scale, more than a pixel must be left there.
    """
    check_image_shape(source_shape)
    check_image_shape(image_shape)
    if tuple(source_shape[1:]) != tuple(image_shape[1:]):
        raise UserError(f"{network} makes images as large as those it reads: {source_shape} are not {image_shape}")
    if image_shape[1] % factor or image_shape[2] % factor:
        raise UserError(f"images of {image_shape[1]}x{image_shape[2]} must have sides that are multiples of {factor}")
    if normed and image_shape[1] == image_shape[2] == factor:
        raise UserError(
            f"images of {factor}x{factor} are too small: {network} shrinks them to one pixel, which has no spread to be"
            " normed by"
        )


def check_one_shape(source_shape: Sequence[int], image_shape: Sequence[int]) -> None:
    """Raise UserError unless the images of both domains have one shape, so that one classifier can read them."""
    if tuple(source_shape) != tuple(image_shape):
        raise UserError(
            f"one classifier reads both domains, but their images are {list(source_shape)} and"
            f" {list(image_shape)}: give both the same size and channels"
        )
