"""Checks of batches of images and codes, so that a wrong data set ends in one clear line."""

from collections.abc import Sequence

import torch
from torch import Tensor

from dlmodules.errors import UserError


def check_image_shape(shape: Sequence[int]) -> None:
    """Raise UserError unless ``shape`` is channels, height and width, each 1 or more."""
    if len(shape) != 3 or min(shape) < 1:
        raise UserError(
            f"image_shape is {list(shape)}; it must be channels, height and width, each 1 or more, such as [1, 28, 28]"
        )


def quarter(shape: Sequence[int]) -> tuple[int, int]:
    """Return a quarter of height and width of images of ``shape`` (C, H, W), which two doublings make.

    Raises UserError where they are not multiples of 4.
    """
    check_image_shape(shape)
    if shape[1] % 4 or shape[2] % 4:
        raise UserError(
            f"images of {shape[1]}x{shape[2]} cannot be made by two doublings: choose a size that is a multiple of 4"
        )
    return shape[1] // 4, shape[2] // 4


def check_images(
    x: Tensor, shape: Sequence[int], owner: str, argument: str = "image_shape", takes_rows: bool = False
) -> None:
    """Raise UserError unless ``x`` is a batch ``(B, *shape)``; ``owner``'s argument ``argument`` is what sets it.

    One that ``takes_rows`` can be built for rows of numbers instead of images.
    """
    if len(shape) == 3:
        _require_pictures(x, owner, or_rows=takes_rows)
    if tuple(x.shape[1:]) != tuple(shape):
        raise UserError(_misfit(x, shape, owner, argument))


def _require_pictures(x: Tensor, owner: str, or_rows: bool) -> None:
    """Raise UserError unless ``x`` are images of real numbers, or rows of them where these will do."""
    if x.ndim != 4 and not (or_rows and x.ndim == 2 and x.is_floating_point()):
        raise UserError(
            f"{owner} takes images (channels, height, width), but the data give {inputs_in_words(x)}:"
            " choose another --data, such as DigitsDataModule"
        )
    if not (x.is_floating_point() or x.dtype == torch.bool):
        raise UserError(
            f"the images are {str(x.dtype).removeprefix('torch.')}; {owner} needs float32: images of 0 to 255 become"
            " numbers in [0, 1] by images.float() / 255"
        )


def _misfit(x: Tensor, shape: Sequence[int], owner: str, argument: str) -> str:
    """Say that ``x`` has another shape, and what to set."""
    found, are_images = list(x.shape[1:]), len(shape) == 3 and x.ndim == 4
    kind, axes = ("images", " (channels, height, width)") if are_images else ("inputs", "")
    return (
        f"the {kind} are {found} but {owner} was built for {list(shape)}{axes};"
        f" pass --model.{argument} '{found}'{_advice(found, shape) if are_images else ''}"
    )


def inputs_in_words(x: Tensor) -> str:
    """Return what a batch of inputs ``(B, ...)`` seems to hold: images, rows, token ids."""
    whole = not (x.is_floating_point() or x.dtype == torch.bool)
    if x.ndim == 1:
        return "a number each"
    if x.ndim == 2:
        return f"rows of {x.shape[1]} {'whole numbers, such as token ids' if whole else 'numbers'}"
    shape = list(x.shape[1:])
    return f"images {shape}" if x.ndim == 4 else f"{shape} for each"


def _advice(found: list[int], wanted: Sequence[int]) -> str:
    """Return what else helps: options of the data that make images ``wanted``."""
    size = [f"--data.image_size {wanted[-1]}"] if found[1:] != list(wanted[1:]) else []
    if found[:1] == list(wanted[:1]):
        return f" or resize the data with {size[0]}"
    return f" or load the data with {' '.join([*size, f'--data.channels {wanted[0]}'])}"


def check_unit_range(x: Tensor, owner: str) -> None:
    """Raise UserError unless the values of ``x`` lie in [0, 1]."""
    low, high = float(x.min()), float(x.max())
    if low < 0.0 or high > 1.0:
        raise UserError(f"{owner} needs images in [0, 1]; these lie in [{low:.3g}, {high:.3g}]: rescale them")


def check_image_batch(x: Tensor, shape: Sequence[int], owner: str, first: bool, argument: str = "image_shape") -> None:
    """Raise UserError unless ``x`` is a batch ``(B, *shape)`` and, where it is the ``first`` of an epoch, in [0, 1].

    When values of a batch are read: see ``dlmodules.validation.device_reads``.
    """
    check_images(x, shape, owner, argument)
    if first:
        check_unit_range(x, owner)


def check_codes(z: Tensor, dim: int, owner: str, n: int | None = None, name: str = "codes") -> None:
    """Raise UserError unless ``z``, called ``name``, are codes ``(B, dim)``, ``n`` of them where that is given."""
    if z.ndim != 2 or z.shape[1] != dim or (n is not None and z.shape[0] != n):
        raise UserError(f"{name} of shape {tuple(z.shape)}: this {owner} needs ({'n' if n is None else n}, {dim})")
