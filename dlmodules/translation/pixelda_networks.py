"""Networks of PixelDA: generators that read an image and noise, a discriminator that sees noise, and a classifier."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.layers.initialization import normal_
from dlmodules.translation.sizes import check_sizes
from dlmodules.validation.arguments import check_at_least, check_at_least_one, check_dropout


class NoiseResNetGenerator(nn.Module):
    """Residual blocks at the size of the image, beside which a channel is drawn from noise: the paper's.

    A linear layer makes the channel of ``latent_dim`` numbers, each from -1 to 1. With a width of 64 and six blocks,
    for images of 32 pixels in three channels, it has 460,035 parameters.

    Args:
        source_shape: channels, height and width of what is read.
        image_shape: of what is made; of the same size.
        latent_dim: numbers of the noise.
        width: filters of all convolutions but the last.
        blocks: residual blocks.

    Raises:
        UserError: for a number out of range, and sizes that differ.
    """

    output_range = (-1.0, 1.0)

    def __init__(
        self,
        source_shape: Sequence[int] = (3, 32, 32),
        image_shape: Sequence[int] = (3, 32, 32),
        latent_dim: int = 10,
        width: int = 64,
        blocks: int = 6,
    ) -> None:
        check_sizes(source_shape, image_shape)
        check_at_least_one(latent_dim=latent_dim, width=width, blocks=blocks)
        super().__init__()
        self.source_shape, self.image_shape = tuple(source_shape), tuple(image_shape)
        self.latent_dim, self.width, self.blocks = latent_dim, width, blocks
        self.first = nn.Conv2d(source_shape[0] + 1, width, 3, padding=1)
        self.residuals = nn.ModuleList(
            nn.Sequential(*_normed(width, width), nn.ReLU(), *_normed(width, width)) for _ in range(blocks)
        )
        self.last = nn.Conv2d(width, image_shape[0], 3, padding=1)
        normal_(self)
        height, width = image_shape[1:]
        self.of_noise = nn.Sequential(nn.Linear(latent_dim, height * width), nn.Unflatten(1, (1, height, width)))

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Map images ``(B, C, H, W)`` in [-1, 1], and noise ``(B, latent_dim)``, to images ``(B, *image_shape)``."""
        if noise is None:
            noise = 2 * torch.rand(len(x), self.latent_dim, device=x.device, dtype=x.dtype) - 1
        x = F.relu(self.first(torch.cat([x, self.of_noise(noise)], dim=1)))
        for residual in self.residuals:
            x = x + residual(x)
        images: Tensor = self.last(x)
        return images.tanh()


class NoiseDecoderGenerator(nn.Module):
    """Features that are decoded from noise, as a DCGAN decodes it, and convolutions that mix them with the image.

    Much of the work is at small sizes: a tenth of the multiplications of ``NoiseResNetGenerator``. With the
    defaults it has 255,491 parameters.

    Args:
        source_shape: channels, height and width of what is read; multiples of 8.
        image_shape: of what is made; of the same size.
        latent_dim: numbers of the noise, standard normal.
        width: filters at the size of the image; there are up to four times as many at an eighth of it.

    Raises:
        UserError: for a number out of range, and sizes that differ or cannot be halved three times.
    """

    output_range = (-1.0, 1.0)

    def __init__(
        self,
        source_shape: Sequence[int] = (3, 32, 32),
        image_shape: Sequence[int] = (3, 32, 32),
        latent_dim: int = 64,
        width: int = 32,
    ) -> None:
        check_sizes(source_shape, image_shape, 8)
        check_at_least_one(latent_dim=latent_dim, width=width)
        super().__init__()
        self.source_shape, self.image_shape = tuple(source_shape), tuple(image_shape)
        self.latent_dim, self.width = latent_dim, width
        bottom = (4 * width, image_shape[1] // 8, image_shape[2] // 8)
        self.of_noise = nn.Sequential(
            nn.Linear(latent_dim, bottom[0] * bottom[1] * bottom[2]),
            nn.Unflatten(1, bottom),
            nn.BatchNorm2d(bottom[0]),
            nn.ReLU(),
        )
        self.ups = nn.ModuleList(
            nn.Sequential(nn.Upsample(scale_factor=2), *_normed(before, after), nn.ReLU())
            for before, after in ((4 * width, 2 * width), (2 * width, width), (width, width))
        )
        self.mix = nn.Sequential(
            *(*_normed(width + source_shape[0], width), nn.ReLU()),
            *(*_normed(width, width), nn.ReLU()),
            nn.Conv2d(width, image_shape[0], 3, padding=1),
        )
        normal_(self)

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Map images ``(B, C, H, W)`` in [-1, 1], and noise ``(B, latent_dim)``, to images ``(B, *image_shape)``."""
        if noise is None:
            noise = torch.randn(len(x), self.latent_dim, device=x.device, dtype=x.dtype)
        drawn = self.of_noise(noise)
        for up in self.ups:
            drawn = up(drawn)
        images: Tensor = self.mix(torch.cat([drawn, x], dim=1))
        return images.tanh()


class NoisyDiscriminator(nn.Module):
    """Three convolutions of stride 2 that see images through noise and drop features, and a linear layer.

    Args:
        image_shape: channels, height and width of the images; multiples of 8.
        width: filters of the first convolution; they double with each.
        dropout: probability with which a feature map is dropped in training, in [0, 1).
        noise: standard deviation of what is added to images in training.

    Raises:
        UserError: for a number out of range, and sizes that cannot be halved three times.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (3, 32, 32),
        width: int = 64,
        dropout: float = 0.3,
        noise: float = 0.1,
    ) -> None:
        check_sizes(image_shape, image_shape, 8)
        check_at_least_one(width=width)
        check_dropout(dropout)
        check_at_least(0, noise=noise)
        super().__init__()
        self.image_shape, self.width, self.dropout, self.noise = tuple(image_shape), width, dropout, noise
        filters = (image_shape[0], width, 2 * width, 4 * width)
        layers: list[nn.Module] = []
        for place, (before, after) in enumerate(pairwise(filters)):
            layers += [
                nn.Conv2d(before, after, 4, stride=2, padding=1),
                nn.BatchNorm2d(after) if place else nn.Identity(),
                nn.LeakyReLU(0.2),
                nn.Dropout2d(dropout),
            ]
        self.hidden = nn.Sequential(*layers, nn.Flatten())
        self.head = nn.Linear(4 * width * (image_shape[1] // 8) * (image_shape[2] // 8), 1)
        normal_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, *image_shape)`` in [-1, 1] to outputs ``(B, 1)``, larger where they are taken for real."""
        if self.training:
            x = x + self.noise * torch.randn_like(x)
        outputs: Tensor = self.head(self.hidden(x))
        return outputs


class TaskNetwork(nn.Sequential):
    """Two 5x5 convolutions of 32 and 48 filters with poolings, two dense layers of 100, logits: the paper's classifier.

    Args:
        image_shape: channels, height and width of the images; multiples of 4.
        num_classes: number of classes.

    Raises:
        UserError: for sizes that cannot be halved twice.
    """

    def __init__(self, image_shape: Sequence[int] = (3, 32, 32), num_classes: int = 10) -> None:
        check_sizes(image_shape, image_shape, 4)
        check_at_least(2, num_classes=num_classes)
        super().__init__(
            *(nn.Conv2d(image_shape[0], 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 48, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
            *(nn.Linear(48 * (image_shape[1] // 4) * (image_shape[2] // 4), 100), nn.ReLU()),
            *(nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, num_classes)),
        )
        self.image_shape, self.num_classes = tuple(image_shape), num_classes


class StridedTaskNetwork(nn.Sequential):
    """Three convolutions of stride 2 with batch norm, dropout, two dense layers, logits: it learns in fewer updates.

    It takes a quarter of the multiplications of ``TaskNetwork``.

    Args:
        image_shape: channels, height and width of the images; multiples of 8.
        num_classes: number of classes.
        width: filters of the first convolution; they double with each.
        dropout: probability with which a feature is dropped in training, in [0, 1).

    Raises:
        UserError: for a number out of range, and sizes that cannot be halved three times.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (3, 32, 32),
        num_classes: int = 10,
        width: int = 32,
        dropout: float = 0.4,
    ) -> None:
        check_sizes(image_shape, image_shape, 8)
        check_at_least(2, num_classes=num_classes)
        check_at_least_one(width=width)
        check_dropout(dropout)
        features = 4 * width * (image_shape[1] // 8) * (image_shape[2] // 8)
        super().__init__(
            *(nn.Conv2d(image_shape[0], width, 5, stride=2, padding=2), nn.BatchNorm2d(width), nn.ReLU()),
            *(nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), nn.BatchNorm2d(2 * width), nn.ReLU()),
            *(nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1), nn.BatchNorm2d(4 * width), nn.ReLU()),
            *(nn.Flatten(), nn.Dropout(dropout), nn.Linear(features, 128), nn.ReLU(), nn.Linear(128, num_classes)),
        )
        self.image_shape, self.num_classes = tuple(image_shape), num_classes


def _normed(before: int, after: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after)
