"""The conditional variational autoencoder."""

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.layers.initialization import glorot_uniform_
from dlmodules.protocols import Batch
from dlmodules.sampling.devices import sampling_device
from dlmodules.sampling.examples import example_labels
from dlmodules.sampling.labels import one_hot, sample_labels
from dlmodules.vaes.networks import ConvDecoder, ConvEncoder
from dlmodules.vaes.vae import VAE
from dlmodules.validation.arguments import check_at_least_one
from dlmodules.validation.images import check_image_shape
from dlmodules.validation.labels import check_labels, with_labels
from dlmodules.validation.networks import check_network


class ConditionalEncoder(nn.Module):
    """Encode the image and one more channel, a linear function of the label.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the code.
        num_classes: number of classes.
    """

    def __init__(self, image_shape: Sequence[int] = (1, 28, 28), latent_dim: int = 2, num_classes: int = 10) -> None:
        super().__init__()
        check_image_shape(image_shape)
        self.image_shape, self.latent_dim, self.num_classes = tuple(image_shape), latent_dim, num_classes
        channels, height, width = image_shape
        self.label_to_image = nn.Linear(num_classes, prod(image_shape[1:]))
        glorot_uniform_(self)
        self.encoder = ConvEncoder((channels + 1, height, width), latent_dim)

    def forward(self, x: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of images ``(B, C, H, W)`` under conditions ``(B, num_classes)``."""
        label_map = self.label_to_image(condition).view(-1, 1, *self.image_shape[1:])
        mean, log_var = self.encoder(torch.cat([x, label_map], dim=1))
        return mean, log_var


class ConditionalDecoder(nn.Module):
    """Decode the code concatenated with the one-hot label.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the code.
        num_classes: number of classes.
    """

    def __init__(self, image_shape: Sequence[int] = (1, 28, 28), latent_dim: int = 2, num_classes: int = 10) -> None:
        super().__init__()
        self.image_shape, self.latent_dim, self.num_classes = tuple(image_shape), latent_dim, num_classes
        self.decoder = ConvDecoder(image_shape, latent_dim + num_classes)

    def forward(self, z: Tensor, condition: Tensor) -> Tensor:
        """Return the logits ``(B, C, H, W)`` of codes ``(B, latent_dim)`` under conditions ``(B, num_classes)``."""
        logits: Tensor = self.decoder(torch.cat([z, condition], dim=1))
        return logits


class CVAE(VAE):
    """A variational autoencoder conditioned on the class: the code represents the style. 174,437 parameters.

    The prior of the code is the standard normal for every class. ``beta`` above 1 makes it a beta-CVAE. It logs what
    ``VAE`` logs.

    Paper: Sohn, Lee & Yan 2015, Learning Structured Output Representation using Deep Conditional Generative Models;
        Higgins et al. 2017, beta-VAE.
    Books: atienza 8.2.1, atienza 8.3.1.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the code.
        num_classes: number of classes.
        encoder: maps images and conditions ``(B, num_classes)`` to mean and log-variance of the code; None builds
            ``ConditionalEncoder``.
        decoder: maps codes and conditions to the logits of images; None builds ``ConditionalDecoder``.
        **kwargs: arguments of ``VAE``.
    """

    conditional = True

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 2,
        num_classes: int = 10,
        encoder: nn.Module | None = None,
        decoder: nn.Module | None = None,
        **kwargs: Any,
    ) -> None:
        check_at_least_one(num_classes=num_classes)
        encoder = encoder or ConditionalEncoder(image_shape, latent_dim, num_classes)
        decoder = decoder or ConditionalDecoder(image_shape, latent_dim, num_classes)
        check_network(encoder, "encoder", num_classes=num_classes)
        check_network(decoder, "decoder", num_classes=num_classes)
        super().__init__(
            image_shape=image_shape,
            latent_dim=latent_dim,
            encoder=encoder,
            decoder=decoder,
            r_loss_factor=None,
            **kwargs,
        )
        self.num_classes = num_classes

    @override
    def posterior(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance ``(B, latent_dim)`` of the codes of ``x`` with labels ``(B,)``."""
        mean, log_var = self.encoder(x, self.condition(labels, x.shape[0]))
        return mean, log_var

    @override
    def logits(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the logits ``(B, C, H, W)`` of codes ``(B, latent_dim)`` with labels ``(B,)``."""
        logits: Tensor = self.decoder(z, self.condition(labels, z.shape[0]))
        return logits

    @override
    def given(self, batch: Batch) -> tuple[Tensor, ...]:
        """Return the images and the labels. Raises UserError where the batch has none."""
        return with_labels(batch, type(self).__name__)

    def condition(self, labels: Tensor | None, n: int) -> Tensor:
        """Return labels ``(n,)`` int64 as one-hot vectors ``(n, num_classes)``.

        Raises UserError where there are no labels, another number of them, or one outside the classes.
        """
        return one_hot(check_labels(labels, n, self.num_classes, type(self).__name__), self.num_classes)

    @override
    def sample(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Decode ``n`` samples of the prior: ``(n, C, H, W)`` in [0, 1].

        ``labels`` ``(n,)`` are the classes; None draws them at random too.
        """
        device = sampling_device(generator, self.device)
        labels = sample_labels(n, self.num_classes, generator, self.device) if labels is None else labels
        z = torch.randn(n, self.latent_dim, generator=generator, device=device)
        return self.decode(z.to(self.device), labels.to(self.device))

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up images ``(n, *image_shape)`` in [0, 1), and labels of each class in turn."""
        return super().example_batch(n)[0], example_labels(n, self.num_classes, self.device)
