"""Checks of batches of images and codes, so that a wrong data set ends in one clear line."""

from collections.abc import Sequence

from torch import Tensor

from dlmodules.errors import UserError


def check_image_shape(shape: Sequence[int]) -> None:
    """Raise UserError unless ``shape`` is channels, height and width, each 1 or more."""
    if len(shape) != 3 or min(shape) < 1:
        raise UserError(
            f"image_shape is {list(shape)}; it must be channels, height and width, each 1 or more, such as [1, 28, 28]"
        )


def check_images(x: Tensor, shape: Sequence[int], owner: str, argument: str = "image_shape") -> None:
    """Raise UserError unless ``x`` is a batch ``(B, *shape)``; ``owner``'s argument ``argument`` is what sets it."""
    if tuple(x.shape[1:]) == tuple(shape):
        return
    found, are_images = list(x.shape[1:]), len(shape) == 3
    kind, axes = ("images", " (channels, height, width)") if are_images else ("inputs", "")
    advice = f" or resize the data with --data.image_size {shape[-1]}" if are_images else ""
    raise UserError(
        f"the {kind} are {found} but {owner} was built for {list(shape)}{axes};"
        f" pass --model.{argument} '{found}'{advice}"
    )


def check_unit_range(x: Tensor, owner: str) -> None:
    """Raise UserError unless the values of ``x`` lie in [0, 1]."""
    low, high = float(x.min()), float(x.max())
    if low < 0.0 or high > 1.0:
        raise UserError(f"{owner} needs images in [0, 1]; these lie in [{low:.3g}, {high:.3g}]: rescale them")


def check_codes(z: Tensor, latent_dim: int, owner: str) -> None:
    """Raise UserError unless ``z`` are codes ``(B, latent_dim)``."""
    if z.ndim != 2 or z.shape[1] != latent_dim:
        raise UserError(f"codes are {tuple(z.shape)}; this {owner} needs (n, {latent_dim})")
