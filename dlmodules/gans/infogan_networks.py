"""The networks of InfoGAN's paper, which find the digits: batch normalization throughout, and two dense layers each."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dlmodules.gans.widths import scaled
from dlmodules.layers.initialization import normal_
from dlmodules.sampling.labels import one_hot
from dlmodules.validation.images import quarter

HIDDEN_DIM = 1024
FILTERS = (64, 128)
HEAD_DIM = 128
SLOPE = 0.1  # of the leaky ReLU


class InfoGANGenerator(nn.Module):
    """Noise, label and codes to an image: two dense layers, then two transposed convolutions that double the size.

    Each but the last is followed by batch normalization and a ReLU; a sigmoid ends it. 6,652,481 parameters at the
    paper's sizes.

    Args:
        image_shape: channels, height and width of the images, multiples of 4.
        latent_dim: size of the noise vector.
        num_classes: number of classes.
        num_codes: number of continuous codes.
        width: multiplies filters and units.
    """

    output_range = (0.0, 1.0)

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 62,
        num_classes: int = 10,
        num_codes: int = 2,
        width: float = 1.0,
    ) -> None:
        super().__init__()
        side = quarter(image_shape)
        self.image_shape, self.latent_dim = tuple(image_shape), latent_dim
        self.num_classes, self.num_codes, self.width = num_classes, num_codes, width
        hidden_dim, filters = scaled(HIDDEN_DIM, width), [scaled(n, width) for n in FILTERS]
        self.bottom = (filters[1], *side)
        bottom_dim = filters[1] * side[0] * side[1]
        self.dense = nn.Sequential(
            nn.Linear(latent_dim + num_classes + num_codes, hidden_dim), nn.BatchNorm1d(hidden_dim), nn.ReLU(),
            nn.Linear(hidden_dim, bottom_dim), nn.BatchNorm1d(bottom_dim), nn.ReLU(),
        )  # fmt: skip
        self.deconvs = nn.Sequential(
            nn.ConvTranspose2d(filters[1], filters[0], 4, stride=2, padding=1), nn.BatchNorm2d(filters[0]), nn.ReLU(),
            nn.ConvTranspose2d(filters[0], image_shape[0], 4, stride=2, padding=1), nn.Sigmoid(),
        )  # fmt: skip
        normal_(self)

    def forward(self, z: Tensor, labels: Tensor, codes: Tensor) -> Tensor:
        """Map noise ``(B, latent_dim)``, labels ``(B,)`` and codes ``(B, num_codes)`` to images in [0, 1]."""
        given = torch.cat([z, one_hot(labels, self.num_classes), codes], dim=1)
        images: Tensor = self.deconvs(self.dense(given).view(-1, *self.bottom))
        return images


class InfoGANDiscriminator(nn.Module):
    """Two convolutions that halve the size and a dense layer to real or fake, and by 128 more units to class and codes.

    All but the first convolution and the outputs are normalized, and followed by a leaky ReLU of 0.1. 6,692,175
    parameters at the paper's sizes.

    Args:
        image_shape: channels, height and width of the images, multiples of 4.
        num_classes: number of classes.
        num_codes: number of continuous codes.
        width: multiplies filters and units.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        num_classes: int = 10,
        num_codes: int = 2,
        width: float = 1.0,
    ) -> None:
        super().__init__()
        side = quarter(image_shape)
        self.image_shape, self.num_classes = tuple(image_shape), num_classes
        self.num_codes, self.width = num_codes, width
        hidden_dim, head_dim = scaled(HIDDEN_DIM, width), scaled(HEAD_DIM, width)
        filters = [scaled(n, width) for n in FILTERS]
        self.body = nn.Sequential(
            nn.Conv2d(image_shape[0], filters[0], 4, stride=2, padding=1), nn.LeakyReLU(SLOPE),
            nn.Conv2d(filters[0], filters[1], 4, stride=2, padding=1), nn.BatchNorm2d(filters[1]), nn.LeakyReLU(SLOPE),
            nn.Flatten(),
            nn.Linear(filters[1] * side[0] * side[1], hidden_dim), nn.BatchNorm1d(hidden_dim), nn.LeakyReLU(SLOPE),
        )  # fmt: skip
        self.source = nn.Linear(hidden_dim, 1)
        self.head = nn.Sequential(nn.Linear(hidden_dim, head_dim), nn.BatchNorm1d(head_dim), nn.LeakyReLU(SLOPE))
        self.label = nn.Linear(head_dim, num_classes)
        self.codes = nn.Linear(head_dim, num_codes)
        self.log_std = nn.Parameter(torch.zeros(num_codes))
        normal_(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map images ``(B, C, H, W)`` to logits ``(B,)`` and ``(B, num_classes)``, and to codes ``(B, num_codes)``."""
        hidden = self.body(x)
        head = self.head(hidden)
        return self.source(hidden).squeeze(1), self.label(head), self.codes(head)
