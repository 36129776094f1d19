"""Norms of images: batch normalization with Keras' settings, and the choice of what is normalized together."""

from math import gcd
from typing import Literal

from torch import nn

from dlmodules.errors import UserError

ImageNorm = Literal["batch", "layer", "instance", "group", "none"]
GROUPS = 8


def keras_batch_norm(channels: int) -> nn.BatchNorm2d:
    """Return a batch normalization with Keras' epsilon of 0.001 and its momentum of 0.99, which torch calls 0.01."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def image_norm(norm: ImageNorm, channels: int) -> nn.Module:
    """Return a norm of images ``(B, channels, H, W)`` with a scale and a shift for each channel (foster F5.5).

    Args:
        norm: what has one mean and one variance: ``batch``, a channel of the whole batch; ``layer``, an image with
            all of its channels; ``instance``, a channel of an image; ``group``, an eighth of an image's channels, or
            as few as make whole groups; ``none`` changes nothing.
        channels: of the images.

    Raises:
        UserError: the norm is not known.
    """
    if norm == "batch":
        return nn.BatchNorm2d(channels)
    if norm == "layer":
        return nn.GroupNorm(1, channels)
    if norm == "instance":
        return nn.InstanceNorm2d(channels, affine=True)
    if norm == "group":
        return nn.GroupNorm(gcd(GROUPS, channels), channels)
    if norm == "none":
        return nn.Identity()
    raise UserError(f"norm is {norm!r}; it must be batch, layer, instance, group or none")
