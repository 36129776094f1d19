"""The common parts of convolutional encoders and decoders, whatever their code is."""

from collections.abc import Sequence
from math import prod

from torch import Tensor, nn

from dlmodules.layers.conv_stack import bottom_shape, conv_stack, conv_transpose_stack
from dlmodules.layers.initialization import glorot_uniform_


class ConvStackEncoder(nn.Module):
    """Base of encoders: a stack of 3x3 convolutions. A child adds the layers that turn its features into a code.

    Args:
        image_shape: channels, height and width of the images; the sides must be multiples of the strides' product.
        latent_dim: size of the code.
        channels: filters of each convolution.
        strides: of each convolution.
        activation: after each convolution.
        batch_norm: normalize after each convolution.
        dropout: probability in [0, 1) with which an activation is dropped in training.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int,
        channels: Sequence[int],
        strides: Sequence[int],
        activation: str,
        batch_norm: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.image_shape, self.latent_dim = tuple(image_shape), latent_dim
        self.channels, self.strides, self.activation = tuple(channels), tuple(strides), activation
        self.batch_norm, self.dropout = batch_norm, dropout
        self.num_features = prod(bottom_shape(image_shape, channels[-1], strides))
        self.layers = conv_stack(image_shape[0], channels, strides, activation, batch_norm, dropout)

    def features(self, x: Tensor) -> Tensor:
        """Return the features ``(B, num_features)`` of images ``(B, C, H, W)``."""
        maps: Tensor = self.layers(x)
        return maps.flatten(1)


class ConvStackDecoder(nn.Module):
    """Base of decoders: a linear layer, then transposed convolutions of 3x3 as the encoder's, the last one bare.

    Args:
        image_shape: channels, height and width of the images; the sides must be multiples of the strides' product.
        latent_dim: size of the code.
        channels: filters of each transposed convolution but the last; the linear layer's output has as many channels
            as the first.
        strides: of each transposed convolution, the last one too.
        activation: after each transposed convolution but the last.
        batch_norm: normalize after each transposed convolution but the last.
        dropout: probability in [0, 1) with which an activation is dropped in training.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int,
        channels: Sequence[int],
        strides: Sequence[int],
        activation: str,
        batch_norm: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.image_shape, self.latent_dim = tuple(image_shape), latent_dim
        self.channels, self.strides, self.activation = tuple(channels), tuple(strides), activation
        self.batch_norm, self.dropout = batch_norm, dropout
        self.bottom = bottom_shape(image_shape, channels[0], strides)
        self.from_code = nn.Linear(latent_dim, prod(self.bottom))
        self.layers = conv_transpose_stack(channels, image_shape[0], strides, activation, batch_norm, dropout)
        glorot_uniform_(self)

    def forward(self, z: Tensor) -> Tensor:
        """Return the logits ``(B, C, H, W)`` of codes ``(B, latent_dim)``."""
        logits: Tensor = self.layers(self.from_code(z).view(-1, *self.bottom))
        return logits
