"""The conditional GAN: both networks are conditioned on the class."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.adversarial.module import DiscriminatorOutput, Images
from dlmodules.errors import UserError
from dlmodules.gans.conditional import ConditionalGAN
from dlmodules.gans.dcgan import DCGANDiscriminator, DCGANGenerator
from dlmodules.layers.initialization import glorot_uniform_
from dlmodules.sampling.labels import one_hot


class ConditionalGenerator(nn.Module):
    """The generator of ``DCGAN`` from the noise and the label side by side. 1,364,225 parameters at the book's sizes.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the noise vector.
        num_classes: number of classes.
        width: multiplies the filters.
    """

    output_range = (0.0, 1.0)

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 100,
        num_classes: int = 10,
        width: float = 1.0,
    ) -> None:
        super().__init__()
        self.image_shape, self.latent_dim = tuple(image_shape), latent_dim
        self.num_classes, self.width = num_classes, width
        self.body = DCGANGenerator(image_shape, latent_dim + num_classes, width)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Map noise ``(B, latent_dim)`` and labels ``(B,)`` to images ``(B, C, H, W)`` in [0, 1]."""
        images: Tensor = self.body(torch.cat([z, one_hot(labels, self.num_classes)], dim=1))
        return images


class ConditionalDiscriminator(nn.Module):
    """The discriminator of ``DCGAN`` on the image and one more channel, a linear function of the label.

    1,090,001 parameters at the book's sizes.

    Args:
        image_shape: channels, height and width of the images.
        num_classes: number of classes.
        width: multiplies the filters.
    """

    def __init__(self, image_shape: Sequence[int] = (1, 28, 28), num_classes: int = 10, width: float = 1.0) -> None:
        super().__init__()
        self.image_shape, self.num_classes, self.width = tuple(image_shape), num_classes, width
        channels, height, width_ = image_shape
        self.label_to_image = nn.Linear(num_classes, prod((height, width_)))
        glorot_uniform_(self)
        self.body = DCGANDiscriminator((channels + 1, height, width_), width)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` and labels ``(B,)`` to logits ``(B,)``; positive means real."""
        channel = self.label_to_image(one_hot(labels, self.num_classes)).view(-1, 1, *x.shape[2:])
        logits: Tensor = self.body(torch.cat([x, channel.to(x.dtype)], dim=1))
        return logits


class CGAN(ConditionalGAN):
    """A DCGAN whose generator and discriminator are both conditioned on the class.

    It logs what ``GAN`` logs.

    Paper: Mirza & Osindero 2014, Conditional Generative Adversarial Nets, arXiv:1411.1784.
    Books: atienza 4.3.1, vasilev 6.9.

    Args:
        discriminator: maps images and labels to outputs ``(B,)``. None builds ``ConditionalDiscriminator``
            (1,090,001 parameters).
    """

    default_generator = ConditionalGenerator
    default_discriminator = ConditionalDiscriminator

    @override
    def discriminate(self, images: Images) -> DiscriminatorOutput:
        """Return the outputs for images and their labels. Raises UserError where they have none."""
        if images.labels is None:
            raise UserError(f"the discriminator of {type(self).__name__} needs the labels of its images: pass them too")
        return DiscriminatorOutput(images, self.discriminator(images.x, images.labels))
