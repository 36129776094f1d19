"""The networks of the stacked GAN: an encoder from the image up, and for each of its levels a pair that goes down.

Level 0 lies between the image and the features, level 1 between the features and the class.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dlmodules.gans.dcgan import DCGANDiscriminator, DCGANGenerator
from dlmodules.gans.widths import scaled
from dlmodules.layers.initialization import glorot_uniform_
from dlmodules.layers.same_padding import SameConv2d
from dlmodules.sampling.labels import one_hot

ENCODER_FILTERS = 64
GENERATOR_DIM = 512
DISCRIMINATOR_DIM = 256


class LevelOutput(NamedTuple):
    """The outputs of the discriminator of one level, for images or for features.

    Args:
        source: ``(B,)`` logits; positive for what it takes for real.
        code: ``(B, latent_dim)`` in (-1, 1), the code that it predicts they were generated from.
    """

    source: Tensor
    code: Tensor


class StackedEncoder(nn.Module):
    """A classifier in two levels, image to features (840,640 parameters) and features to logits (2,570).

    Args:
        image_shape: channels, height and width of the images.
        num_classes: number of classes.
        feature_dim: number of features.
    """

    def __init__(self, image_shape: Sequence[int] = (1, 28, 28), num_classes: int = 10, feature_dim: int = 256) -> None:
        super().__init__()
        self.image_shape, self.num_classes, self.feature_dim = tuple(image_shape), num_classes, feature_dim
        channels, height, width = image_shape
        self.level0 = nn.Sequential(
            SameConv2d(channels, ENCODER_FILTERS, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            SameConv2d(ENCODER_FILTERS, ENCODER_FILTERS, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(ENCODER_FILTERS * (height // 4) * (width // 4), feature_dim),
            nn.ReLU(),
        )
        self.level1 = nn.Linear(feature_dim, num_classes)
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map images ``(B, C, H, W)`` in [0, 1] to features ``(B, feature_dim)`` and logits ``(B, num_classes)``."""
        features = self.level0(x)
        return features, self.level1(features)


class FeatureGenerator(nn.Module):
    """Class and code to features: two of [dense, ReLU, batch norm], then dense and ReLU. 429,312 with its statistics.

    Args:
        latent_dim: size of the code.
        num_classes: number of classes.
        feature_dim: number of features.
        width: multiplies the units between input and features.
    """

    def __init__(self, latent_dim: int = 50, num_classes: int = 10, feature_dim: int = 256, width: float = 1.0) -> None:
        super().__init__()
        self.num_classes = num_classes
        hidden = scaled(GENERATOR_DIM, width)
        self.layers = nn.Sequential(
            nn.Linear(num_classes + latent_dim, hidden),
            nn.ReLU(),
            nn.BatchNorm1d(hidden, eps=1e-3, momentum=0.01),  # Keras' 0.99 is the fraction that is kept
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.BatchNorm1d(hidden, eps=1e-3, momentum=0.01),
            nn.Linear(hidden, feature_dim),
            nn.ReLU(),
        )
        glorot_uniform_(self)

    def forward(self, labels: Tensor, z: Tensor) -> Tensor:
        """Map labels ``(B,)`` and codes ``(B, latent_dim)`` to features ``(B, feature_dim)``, 0 or more."""
        features: Tensor = self.layers(torch.cat([one_hot(labels, self.num_classes), z], dim=1))
        return features


class ImageGenerator(nn.Module):
    """The generator of ``DCGAN`` from features and code side by side. 2,593,537 parameters with its statistics.

    Args:
        image_shape: channels, height and width of the images, multiples of 4.
        latent_dim: size of the code.
        feature_dim: number of features.
        width: multiplies the filters.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 50,
        feature_dim: int = 256,
        width: float = 1.0,
    ) -> None:
        super().__init__()
        self.body = DCGANGenerator(image_shape, feature_dim + latent_dim, width)

    def forward(self, features: Tensor, z: Tensor) -> Tensor:
        """Map features ``(B, feature_dim)`` and codes ``(B, latent_dim)`` to images ``(B, C, H, W)`` in [0, 1]."""
        images: Tensor = self.body(torch.cat([features, z], dim=1))
        return images


class StackedGenerator(nn.Module):
    """Class to features, features to image; a code comes in at each level.

    Args:
        image_shape: channels, height and width of the images, multiples of 4.
        latent_dim: size of each code.
        num_classes: number of classes.
        feature_dim: number of features.
        width: multiplies filters and units.
    """

    output_range = (0.0, 1.0)

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 50,
        num_classes: int = 10,
        feature_dim: int = 256,
        width: float = 1.0,
    ) -> None:
        super().__init__()
        self.image_shape, self.latent_dim, self.num_classes = tuple(image_shape), latent_dim, num_classes
        self.feature_dim, self.width = feature_dim, width
        self.level0 = ImageGenerator(image_shape, latent_dim, feature_dim, width)
        self.level1 = FeatureGenerator(latent_dim, num_classes, feature_dim, width)

    def forward(self, z0: Tensor, labels: Tensor, z1: Tensor) -> Tensor:
        """Map codes ``(B, latent_dim)`` and labels ``(B,)`` to images ``(B, C, H, W)`` in [0, 1]."""
        images: Tensor = self.level0(self.level1(labels, z1), z0)
        return images


class FeatureDiscriminator(nn.Module):
    """Features to a logit and the code: two dense layers with ReLU, then two heads. 144,691 parameters.

    Args:
        latent_dim: size of the code.
        feature_dim: number of features.
        width: multiplies the units between the layers.
    """

    def __init__(self, latent_dim: int = 50, feature_dim: int = 256, width: float = 1.0) -> None:
        super().__init__()
        hidden = scaled(DISCRIMINATOR_DIM, width)
        self.layers = nn.Sequential(nn.Linear(feature_dim, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.source = nn.Linear(hidden, 1)
        self.code = nn.Linear(hidden, latent_dim)
        glorot_uniform_(self)

    def forward(self, features: Tensor) -> LevelOutput:
        """Discriminate features ``(B, feature_dim)``."""
        hidden = self.layers(features)
        return LevelOutput(self.source(hidden).squeeze(1), torch.tanh(self.code(hidden)))


class ImageDiscriminator(nn.Module):
    """The discriminator of ``DCGAN`` that also predicts the code, from the same features. 1,285,427 parameters.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the code.
        width: multiplies the filters.
    """

    def __init__(self, image_shape: Sequence[int] = (1, 28, 28), latent_dim: int = 50, width: float = 1.0) -> None:
        super().__init__()
        self.body = DCGANDiscriminator(image_shape, width)
        self.code = nn.Linear(self.body.hidden_dim, latent_dim)
        glorot_uniform_(self.code)

    def forward(self, x: Tensor) -> LevelOutput:
        """Discriminate images ``(B, C, H, W)`` in [0, 1]."""
        hidden = self.body.hidden(x)
        return LevelOutput(self.body.dense(hidden).squeeze(1), torch.tanh(self.code(hidden)))


class StackedDiscriminator(nn.Module):
    """One discriminator for images and one for features; neither sees the class.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of each code.
        feature_dim: number of features.
        width: multiplies filters and units.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 50,
        feature_dim: int = 256,
        width: float = 1.0,
    ) -> None:
        super().__init__()
        self.image_shape, self.latent_dim = tuple(image_shape), latent_dim
        self.feature_dim, self.width = feature_dim, width
        self.level0 = ImageDiscriminator(image_shape, latent_dim, width)
        self.level1 = FeatureDiscriminator(latent_dim, feature_dim, width)

    def forward(self, x: Tensor, features: Tensor) -> tuple[LevelOutput, LevelOutput]:
        """Discriminate images ``(B, C, H, W)`` and features ``(B, feature_dim)``."""
        return self.level0(x), self.level1(features)
