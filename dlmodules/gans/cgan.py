"""The conditional GAN: both networks are told the class."""

from collections.abc import Sequence
from math import prod

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn

from dlmodules.adversarial.losses import LossName
from dlmodules.adversarial.module import DiscriminatorOutput, Images, Latents, UpdateOrder
from dlmodules.errors import UserError
from dlmodules.gans.dcgan import DCGAN, DCGANDiscriminator, DCGANGenerator
from dlmodules.gans.gan import Noise
from dlmodules.layers.initialization import glorot_uniform_
from dlmodules.protocols import Batch
from dlmodules.sampling.labels import one_hot, sample_labels
from dlmodules.validation.arguments import check_at_least_one
from dlmodules.validation.labels import check_labels, with_labels
from dlmodules.validation.networks import check_network


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
    """The label becomes one more channel of the image, by a linear layer; then the discriminator of ``DCGAN``.

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
        drawn = self.label_to_image(one_hot(labels, self.num_classes)).view(-1, 1, *x.shape[2:])
        logits: Tensor = self.body(torch.cat([x, drawn.to(x.dtype)], dim=1))
        return logits


class CGAN(DCGAN):
    """A DCGAN whose generator makes the class that is asked for, and whose discriminator knows which it was.

    It logs what ``GAN`` logs.

    Paper: Mirza & Osindero 2014, Conditional Generative Adversarial Nets, arXiv:1411.1784.
    Books: atienza 4.3.1, vasilev 6.9.

    Args:
        image_shape: channels, height and width of the images; the default networks need multiples of 4.
        latent_dim: size of the noise vector.
        num_classes: number of classes.
        width: multiplies the filters of the default networks; 0.25 trains on a CPU.
        generator: maps noise and labels to images; its attribute ``output_range`` (default [0, 1]) says in which
            range. None builds ``ConditionalGenerator`` (1,364,225 parameters).
        discriminator: maps images and labels to outputs ``(B,)``. None builds ``ConditionalDiscriminator``
            (1,090,001 parameters).
        noise: ``uniform`` on [-1, 1] (the book's) or ``normal``.
        loss: ``non_saturating``, ``minimax``, ``least_squares``, ``wasserstein`` or ``hinge``.
        r1: weight of half the squared slope of the discriminator at real images, the paper's gamma; 0 for none.
        optimizer_d: makes the discriminator's optimizer.
        optimizer_g: makes the generator's optimizer; half the learning rate is more stable.
        n_critic: turns of the discriminator for each update of the generator.
        update: ``alternating``; ``simultaneous`` with one batch of fakes for both networks; or ``separate`` updates of
            the discriminator on real and on made images.
        clip_grad_norm: largest norm of each network's gradient; None does not clip.
    """

    conditional = True

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 100,
        num_classes: int = 10,
        width: float = 1.0,
        generator: nn.Module | None = None,
        discriminator: nn.Module | None = None,
        noise: Noise = "uniform",
        loss: LossName = "non_saturating",
        r1: float = 0.0,
        optimizer_d: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=2e-4, alpha=0.9, eps=1e-7),
        optimizer_g: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=1e-4, alpha=0.9, eps=1e-7),
        n_critic: int = 1,
        update: UpdateOrder = "alternating",
        clip_grad_norm: float | None = None,
    ) -> None:
        check_at_least_one(num_classes=num_classes)
        super().__init__(
            image_shape,
            latent_dim,
            width,
            generator or ConditionalGenerator(image_shape, latent_dim, num_classes, width),
            discriminator or ConditionalDiscriminator(image_shape, num_classes, width),
            noise,
            loss,
            r1,
            optimizer_d,
            optimizer_g,
            n_critic,
            update,
            clip_grad_norm,
        )
        self.num_classes = num_classes
        for argument in ("generator", "discriminator"):
            check_network(getattr(self, argument), argument, num_classes=num_classes)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the images in [0, 1] of noise ``(B, latent_dim)`` and labels ``(B,)``."""
        return self.to_unit_range(self.generate(Latents(z, self.checked(labels, len(z)))))

    def checked(self, labels: Tensor | None, n: int) -> Tensor:
        """Return labels ``(n,)`` on the module's device. Raises UserError where there are none, or one is no class."""
        return check_labels(labels, n, self.num_classes, type(self).__name__).to(self.device)

    def sample_latents(self, n: int, generator: torch.Generator | None = None) -> Latents:
        """Return ``n`` noise vectors and as many labels, each class as probable as another."""
        noise = self.sample_noise(n, generator)
        return Latents(noise, sample_labels(n, self.num_classes, generator, self.device))

    def generate(self, latents: Latents) -> Tensor:
        """Return the images ``(B, C, H, W)`` of noise and labels, in the generator's range."""
        images: Tensor = self.generator(latents.noise, latents.labels)
        return images

    def discriminate(self, images: Images) -> DiscriminatorOutput:
        """Let the discriminator look at images and their labels. Raises UserError where they have none."""
        if images.labels is None:
            raise UserError(f"the discriminator of {type(self).__name__} judges images by their labels: pass them too")
        return DiscriminatorOutput(images, self.discriminator(images.x, images.labels))

    def sample(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Make ``n`` images ``(n, C, H, W)`` in [0, 1] of classes ``labels`` ``(n,)``; of random ones where None."""
        latents = self.sample_latents(n, generator)
        if labels is not None:
            latents = latents._replace(labels=self.checked(labels, n))
        return self.to_unit_range(self.generate(latents))

    def prepare_real(self, batch: Batch, batch_idx: int = 0) -> Images:
        """Check the images and labels of a batch, and bring the images from [0, 1] to the generator's range."""
        x, labels = with_labels(batch, type(self).__name__)
        if batch_idx == 0:  # a look at every batch would make a GPU wait
            self.checked(labels, len(x))
        return super().prepare_real(batch, batch_idx)._replace(labels=labels)
