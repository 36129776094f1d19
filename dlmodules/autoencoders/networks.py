"""Encoders and decoders of the books' autoencoders, as stacks of layers of any length.

An encoder maps inputs to codes ``(B, latent_dim)``; a decoder maps codes to logits of the inputs' shape.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from dlmodules.layers.conv_coders import ConvStackDecoder, ConvStackEncoder
from dlmodules.layers.conv_stack import one_stride_each
from dlmodules.layers.initialization import glorot_uniform_
from dlmodules.layers.mlp import mlp_layers


class ConvEncoder(ConvStackEncoder):
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
        strides = one_stride_each(strides, len(channels), [2] * len(channels))
        super().__init__(image_shape, latent_dim, channels, strides, activation)
        self.to_code = nn.Linear(self.num_features, latent_dim)
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the codes ``(B, latent_dim)`` of images ``(B, C, H, W)``."""
        codes: Tensor = self.to_code(self.features(x))
        return codes


class ConvDecoder(ConvStackDecoder):
    """A linear layer, transposed convolutions of 3x3, each followed by an activation, and one to the image's channels.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the code.
        channels: filters of each transposed convolution but the last; the linear layer's output has as many channels
            as the first.
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
        strides = one_stride_each(strides, len(channels) + 1, [2] * len(channels) + [1])
        super().__init__(image_shape, latent_dim, channels, strides, activation)


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
        self.layers = nn.Sequential(*mlp_layers(dims), nn.Linear(dims[-1], out_features))
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, in_features)`` to ``(B, out_features)``."""
        outputs: Tensor = self.layers(x)
        return outputs
