"""Encoder and decoder of foster's VAEs: stacks of any length, with optional batch normalization and dropout."""

from collections.abc import Sequence

from torch import Tensor, nn

from dlmodules.layers.conv_coders import ConvStackDecoder, ConvStackEncoder
from dlmodules.layers.conv_stack import one_stride_each
from dlmodules.layers.initialization import glorot_uniform_


class StackEncoder(ConvStackEncoder):
    """Convolutions of 3x3, each followed by [batch norm], leaky ReLU and [dropout], then two linear heads.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the code.
        channels: filters of each convolution.
        strides: of each convolution.
        batch_norm: normalize after each convolution.
        dropout: probability in [0, 1) with which an activation is dropped in training.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 2,
        channels: Sequence[int] = (32, 64, 64, 64),
        strides: Sequence[int] = (1, 2, 2, 1),
        batch_norm: bool = False,
        dropout: float = 0.0,
    ) -> None:
        strides = one_stride_each(strides, len(channels))
        super().__init__(image_shape, latent_dim, channels, strides, "keras_leaky_relu", batch_norm, dropout)
        self.mean = nn.Linear(self.num_features, latent_dim)
        self.log_var = nn.Linear(self.num_features, latent_dim)
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of the codes, each ``(B, latent_dim)``."""
        h = self.features(x)
        return self.mean(h), self.log_var(h)


class StackDecoder(ConvStackDecoder):
    """A linear layer, then transposed convolutions of 3x3 as the encoder's, the last one bare.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the code.
        channels: filters of each transposed convolution but the last.
        strides: of each transposed convolution, the last one too.
        batch_norm: normalize after each transposed convolution but the last.
        dropout: probability in [0, 1) with which an activation is dropped in training.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 2,
        channels: Sequence[int] = (64, 64, 32),
        strides: Sequence[int] = (1, 2, 2, 1),
        batch_norm: bool = False,
        dropout: float = 0.0,
    ) -> None:
        strides = one_stride_each(strides, len(channels) + 1)
        super().__init__(image_shape, latent_dim, channels, strides, "keras_leaky_relu", batch_norm, dropout)
