"""Checks of image batches, so that a wrong data set ends in one clear line."""

from collections.abc import Sequence

from torch import Tensor

from dlmodules.errors import UserError


def check_images(x: Tensor, image_shape: Sequence[int], owner: str) -> None:
    """Raise UserError unless ``x`` is a batch ``(B, *image_shape)``. ``owner`` is the module's class name."""
    if tuple(x.shape[1:]) != tuple(image_shape):
        found = list(x.shape[1:])
        raise UserError(
            f"the images are {found} but {owner} was built for {list(image_shape)} (channels, height, width);"
            f" pass --model.image_shape '{found}' or resize the data with --data.image_size {image_shape[-1]}"
        )


def check_unit_range(x: Tensor, owner: str) -> None:
    """Raise UserError unless the values of ``x`` lie in [0, 1]."""
    low, high = float(x.min()), float(x.max())
    if low < 0.0 or high > 1.0:
        raise UserError(f"{owner} needs images in [0, 1]; these lie in [{low:.3g}, {high:.3g}]: rescale them")
