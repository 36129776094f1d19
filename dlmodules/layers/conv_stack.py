"""Stacks of 3x3 convolutions that make an image smaller, and of transposed ones that make it larger."""

import itertools
from collections.abc import Sequence
from math import prod

from torch import nn

from dlmodules.errors import UserError
from dlmodules.layers.activations import make_activation
from dlmodules.layers.normalization import keras_batch_norm
from dlmodules.layers.same_padding import SameConv2d, SameConvTranspose2d
from dlmodules.validation.images import check_image_shape


def convolutions(in_channels: int, channels: Sequence[int], strides: Sequence[int]) -> list[SameConv2d]:
    """Return a 3x3 convolution for each of ``channels``, bare."""
    pairs = itertools.pairwise([in_channels, *channels])
    return [SameConv2d(before, after, 3, stride=stride) for (before, after), stride in zip(pairs, strides, strict=True)]


def transposed_convolutions(channels: Sequence[int], strides: Sequence[int]) -> list[SameConvTranspose2d]:
    """Return a 3x3 transposed convolution for each of ``channels``, bare; the input has ``channels[0]`` channels."""
    pairs = itertools.pairwise([channels[0], *channels])
    return [
        SameConvTranspose2d(before, after, 3, stride=stride)
        for (before, after), stride in zip(pairs, strides, strict=True)
    ]


def conv_stack(
    in_channels: int,
    channels: Sequence[int],
    strides: Sequence[int],
    activation: str = "relu",
    batch_norm: bool = False,
    dropout: float = 0.0,
) -> nn.Sequential:
    """Return a convolution for each of ``channels``, each followed by [batch norm], activation and [dropout]."""
    layers: list[nn.Module] = []
    for convolution in convolutions(in_channels, channels, strides):
        layers += [convolution, *_after(convolution.out_channels, activation, batch_norm, dropout)]
    return nn.Sequential(*layers)


def conv_transpose_stack(
    channels: Sequence[int],
    out_channels: int,
    strides: Sequence[int],
    activation: str = "relu",
    batch_norm: bool = False,
    dropout: float = 0.0,
) -> nn.Sequential:
    """Return a transposed convolution for each of ``channels``, and a bare one to ``out_channels``.

    The input has ``channels[0]`` channels. ``strides`` has one more number than ``channels``: that of the last layer.
    """
    layers: list[nn.Module] = []
    for convolution in transposed_convolutions(channels, strides[:-1]):
        layers += [convolution, *_after(convolution.out_channels, activation, batch_norm, dropout)]
    return nn.Sequential(*layers, SameConvTranspose2d(channels[-1], out_channels, 3, stride=strides[-1]))


def _after(channels: int, activation: str, batch_norm: bool, dropout: float) -> list[nn.Module]:
    layers: list[nn.Module] = [keras_batch_norm(channels)] if batch_norm else []
    layers.append(make_activation(activation))
    return [*layers, nn.Dropout(dropout)] if dropout > 0 else layers


def one_stride_each(strides: Sequence[int] | None, layers: int, default: Sequence[int] = ()) -> tuple[int, ...]:
    """Return ``strides``, or ``default`` where it is None. Raises UserError where they are not one for each layer."""
    found = tuple(default if strides is None else strides)
    if len(found) != layers or layers < 1:
        raise UserError(f"{len(found)} strides for {layers} layers: give one for each, and at least one")
    return found


def bottom_shape(image_shape: Sequence[int], channels: int, strides: Sequence[int]) -> tuple[int, int, int]:
    """Shape (C, H, W) between convolutions and code. Raises UserError where a side is no multiple of the strides."""
    factor = prod(strides)
    check_image_shape(image_shape)
    if any(side % factor for side in image_shape[1:]):
        raise UserError(
            f"images of {image_shape[1]}x{image_shape[2]} cannot be made {factor} times smaller:"
            f" choose a size that is a multiple of {factor}"
        )
    return channels, image_shape[1] // factor, image_shape[2] // factor
