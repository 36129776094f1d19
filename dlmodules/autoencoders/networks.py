"""Encoders and decoders of the books' autoencoders, as stacks of layers of any length.

An encoder maps inputs to codes ``(B, latent_dim)``; a decoder maps codes to logits of the inputs' shape.
"""

import itertools
from collections.abc import Sequence
from math import prod

from torch import Tensor, nn

from dlmodules.layers.conv_stack import bottom_shape, conv_stack, conv_transpose_stack, one_stride_each
from dlmodules.layers.initialization import glorot_uniform_


class ConvEncoder(nn.Module):
    """Convolutions of 3x3, each followed by an activation, then a linear layer to the code.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the code.
        channels: filters of each convolution.
        strides: of each convolution; None for 2 everywhere.
        activation: of the convolutions, such as ``relu`` or ``keras_leaky_relu``.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 16,
        channels: Sequence[int] = (32, 64),
        strides: Sequence[int] | None = None,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        self.image_shape, self.latent_dim, self.channels = tuple(image_shape), latent_dim, tuple(channels)
        self.strides = one_stride_each(strides, len(channels), [2] * len(channels))
        self.activation = activation
        bottom = bottom_shape(image_shape, channels[-1], self.strides)
        self.layers = conv_stack(image_shape[0], channels, self.strides, activation)
        self.to_code = nn.Linear(prod(bottom), latent_dim)
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the codes ``(B, latent_dim)`` of images ``(B, C, H, W)``."""
        codes: Tensor = self.to_code(self.layers(x).flatten(1))
        return codes


class ConvDecoder(nn.Module):
    """A linear layer, transposed convolutions of 3x3, each followed by an activation, and one to the image's channels.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the code.
        channels: filters of each transposed convolution but the last; the linear layer makes as many channels as the
            first has.
        strides: of each transposed convolution, the last one too; None for 2 everywhere and 1 for the last.
        activation: of the transposed convolutions, such as ``relu`` or ``keras_leaky_relu``.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 16,
        channels: Sequence[int] = (64, 32),
        strides: Sequence[int] | None = None,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        self.image_shape, self.latent_dim, self.channels = tuple(image_shape), latent_dim, tuple(channels)
        self.strides = one_stride_each(strides, len(channels) + 1, [2] * len(channels) + [1])
        self.activation = activation
        self.bottom = bottom_shape(image_shape, channels[0], self.strides)
        self.from_code = nn.Linear(latent_dim, prod(self.bottom))
        self.layers = conv_transpose_stack(channels, image_shape[0], self.strides, activation)
        glorot_uniform_(self)

    def forward(self, z: Tensor) -> Tensor:
        """Return the logits ``(B, C, H, W)`` of codes ``(B, latent_dim)``."""
        logits: Tensor = self.layers(self.from_code(z).view(-1, *self.bottom))
        return logits


class MLPCoder(nn.Module):
    """Dense layers with ReLU between them, from ``in_features`` numbers to ``out_features``, the last one linear.

    Args:
        in_features: numbers of an input.
        out_features: numbers of an output.
        hidden_dims: units of each hidden layer.
    """

    def __init__(self, in_features: int, out_features: int, hidden_dims: Sequence[int] = (256, 128)) -> None:
        super().__init__()
        self.in_features, self.out_features, self.hidden_dims = in_features, out_features, tuple(hidden_dims)
        dims = [in_features, *hidden_dims]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(dims):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(dims[-1], out_features))
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, in_features)`` to ``(B, out_features)``."""
        outputs: Tensor = self.layers(x)
        return outputs
