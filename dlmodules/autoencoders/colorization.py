"""The autoencoder that colorizes grey images."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.autoencoders.autoencoder import Autoencoder
from dlmodules.autoencoders.networks import ConvDecoder, ConvEncoder
from dlmodules.errors import UserError


def to_grey(x: Tensor) -> Tensor:
    """Return the luma of colour images: ``(B, 3, H, W)`` -> ``(B, 1, H, W)``, 0.299 R + 0.587 G + 0.114 B."""
    weights = torch.tensor([0.299, 0.587, 0.114], device=x.device, dtype=x.dtype)
    return torch.einsum("bchw,c->bhw", x, weights).unsqueeze(1)


class ColorizationAutoencoder(Autoencoder):
    """Predict the colours of a grey image, from a code of 256 numbers: 3,431,811 parameters.

    Paper: Zhang, Isola & Efros 2016, Colorful Image Colorization, arXiv:1603.08511.
    Books: atienza 3.4.1.

    Args:
        image_shape: channels, height and width of the images; there must be three channels.
        latent_dim: size of the code.
        channels: filters of the encoder's convolutions; the decoder has them in reverse.
        encoder: maps grey images ``(B, 1, H, W)`` to codes; None builds ``ConvEncoder``.
        decoder: maps codes to the logits of colour images; None builds ``ConvDecoder``.
        **kwargs: arguments of ``Autoencoder``.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"channels": (16, 32, 64)}

    def __init__(
        self,
        image_shape: Sequence[int] = (3, 32, 32),
        latent_dim: int = 256,
        channels: Sequence[int] = (64, 128, 256),
        encoder: nn.Module | None = None,
        decoder: nn.Module | None = None,
        **kwargs: Any,
    ) -> None:
        if image_shape[0] != 3:
            raise UserError(f"ColorizationAutoencoder needs images of 3 channels, not {image_shape[0]}")
        encoder = encoder or ConvEncoder((1, *image_shape[1:]), latent_dim, channels)
        decoder = decoder or ConvDecoder(image_shape, latent_dim, channels[::-1])
        super().__init__(image_shape=image_shape, latent_dim=latent_dim, encoder=encoder, decoder=decoder, **kwargs)

    @override
    def encode(self, x: Tensor) -> Tensor:
        """Return the codes ``(B, latent_dim)`` of images ``(B, 1, H, W)``, or of colour images, turned grey."""
        return super().encode(to_grey(x) if x.shape[1] == 3 else x)

    def corrupt(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return colour images ``(B, 3, H, W)`` in grey, ``(B, 1, H, W)``; nothing is random."""
        return to_grey(x)
