"""The base of the GANs whose generator is conditioned on a class."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.adversarial.module import Images, Latents, UpdateOrder
from dlmodules.gans.gan import GAN, Noise
from dlmodules.protocols import Batch
from dlmodules.sampling.examples import example_labels
from dlmodules.sampling.labels import sample_labels
from dlmodules.validation.arguments import check_at_least_one
from dlmodules.validation.labels import check_labels, with_labels
from dlmodules.validation.networks import check_network


class ConditionalGAN(GAN):
    """A GAN whose generator takes labels besides noise: the base of ``CGAN``, ``ACGAN`` and ``InfoGAN``.

    A child says which networks are built for it: ``default_generator(image_shape, latent_dim, num_classes, width)`` and
    ``default_discriminator(image_shape, num_classes, width)``.

    Args:
        image_shape: channels, height and width of the images; the default networks need multiples of 4.
        latent_dim: size of the noise vector.
        num_classes: number of classes.
        width: multiplies the filters of the default networks; 0.25 trains on a CPU.
        generator: maps noise and labels to images; its attribute ``output_range`` (default [0, 1]) says in which
            range. None builds ``ConditionalGenerator`` (1,364,225 parameters).
        discriminator: maps images to outputs ``(B,)``.
        noise: ``uniform`` on [-1, 1] (the book's) or ``normal``.
        optimizer_d: makes the discriminator's optimizer.
        optimizer_g: makes the generator's optimizer; half the learning rate is more stable.
        update: ``alternating``; ``simultaneous`` with one batch of fakes for both networks; or ``separate`` updates of
            the discriminator on real and on fake images.
        **kwargs: arguments of ``GAN``.
    """

    conditional = True
    small_arguments: ClassVar[Mapping[str, Any]] = {"width": 0.25}
    default_generator: ClassVar[Callable[..., nn.Module]]
    default_discriminator: ClassVar[Callable[..., nn.Module]]

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 100,
        num_classes: int = 10,
        width: float = 1.0,
        generator: nn.Module | None = None,
        discriminator: nn.Module | None = None,
        noise: Noise = "uniform",
        optimizer_d: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=2e-4, alpha=0.9, eps=1e-7),
        optimizer_g: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=1e-4, alpha=0.9, eps=1e-7),
        update: UpdateOrder = "alternating",
        **kwargs: Any,
    ) -> None:
        check_at_least_one(num_classes=num_classes)
        super().__init__(
            image_shape=image_shape,
            latent_dim=latent_dim,
            generator=generator or self.default_generator(image_shape, latent_dim, num_classes, width),
            discriminator=discriminator or self.default_discriminator(image_shape, num_classes, width),
            noise=noise,
            optimizer_d=optimizer_d,
            optimizer_g=optimizer_g,
            update=update,
            **kwargs,
        )
        self.num_classes = num_classes
        for argument in ("generator", "discriminator"):
            check_network(getattr(self, argument), argument, num_classes=num_classes)

    @override
    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the images in [0, 1] of noise ``(B, latent_dim)`` and labels ``(B,)``."""
        return self.to_unit_range(self.generate(Latents(z, self.checked(labels, z.shape[0]))))

    def checked(self, labels: Tensor | None, n: int) -> Tensor:
        """Return labels ``(n,)`` on the module's device. Raises UserError where there are none, or one is no class."""
        return check_labels(labels, n, self.num_classes, type(self).__name__).to(self.device)

    @override
    def sample_latents(self, n: int, generator: torch.Generator | None = None) -> Latents:
        """Return ``n`` noise vectors and as many labels, each class as probable as another."""
        noise = self.sample_noise(n, generator)
        return Latents(noise, sample_labels(n, self.num_classes, generator, self.device))

    @override
    def sample(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Generate ``n`` images ``(n, C, H, W)`` in [0, 1] of classes ``labels`` ``(n,)``; random ones where None."""
        latents = self.sample_latents(n, generator)
        if labels is not None:
            latents = latents._replace(labels=self.checked(labels, n))
        return self.to_unit_range(self.generate(latents))

    @override
    def prepare_real(self, batch: Batch, batch_idx: int = 0) -> Images:
        """Check the images and labels of a batch, and bring the images from [0, 1] to the generator's range."""
        labels = self.real_labels(batch, batch_idx)
        return super().prepare_real(batch, batch_idx)._replace(labels=labels)

    def real_labels(self, batch: Batch, batch_idx: int = 0) -> Tensor | None:
        """Return the labels ``(B,)`` of a batch, checked; a child returns None where it does not use them."""
        x, labels = with_labels(batch, type(self).__name__)
        if batch_idx == 0:  # see validation.device_reads
            self.checked(labels, len(x))
        return labels

    @override
    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up images ``(n, *image_shape)`` in [0, 1), and labels of each class in turn."""
        return super().example_batch(n)[0], example_labels(n, self.num_classes, self.device)
