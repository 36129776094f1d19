"""The Wasserstein GAN, with clipped weights."""

from collections.abc import Sequence

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import nn

from dlmodules.adversarial.module import UpdateOrder
from dlmodules.gans.dcgan import DCGAN
from dlmodules.gans.gan import Noise
from dlmodules.validation.arguments import check_positive


class WGAN(DCGAN):
    """A DCGAN whose critic measures how far made images are from real ones, as the earth mover's distance.

    Its weights are clipped after each of its turns, which bounds its slope. Logged: ``train/d_loss``, minus the
    ``train/wasserstein`` estimate, which falls as the samples become better; ``train/g_loss``, ``train/d_real`` and
    ``train/d_fake``, the critic's means; ``val/d_real`` on images that the critic never trained on.

    Paper: Arjovsky, Chintala & Bottou 2017, Wasserstein GAN, arXiv:1701.07875.
    Books: atienza 5.1.2, atienza 5.1.2-B, foster F4.4.

    Args:
        image_shape: channels, height and width of the images; the default networks need multiples of 4.
        latent_dim: size of the noise vector.
        width: multiplies the filters of the default networks; 0.25 trains on a CPU.
        clip: largest absolute value of the critic's weights, biases included.
        generator: maps noise to images; its attribute ``output_range`` (default [0, 1]) says in which range.
            None builds ``DCGANGenerator`` (1,301,505 parameters).
        discriminator: the critic; it maps images in the generator's range to outputs ``(B,)``. None builds
            ``DCGANDiscriminator`` (1,080,577 parameters).
        noise: ``uniform`` on [-1, 1] (the book's) or ``normal``.
        optimizer_d: makes the critic's optimizer; one with momentum is unstable here.
        optimizer_g: makes the generator's optimizer.
        n_critic: turns of the critic for each update of the generator.
        update: ``alternating``; ``simultaneous`` with one batch of fakes for both networks; or ``separate`` updates of
            the critic on real and on made images, the books'.
        clip_grad_norm: largest norm of each network's gradient; None does not clip.
    """

    loss_falls = False  # the first weights are not clipped yet: a steep critic, whose estimate shrinks with them

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 100,
        width: float = 1.0,
        clip: float = 0.01,
        generator: nn.Module | None = None,
        discriminator: nn.Module | None = None,
        noise: Noise = "uniform",
        optimizer_d: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=5e-5, alpha=0.9, eps=1e-7),
        optimizer_g: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=5e-5, alpha=0.9, eps=1e-7),
        n_critic: int = 5,
        update: UpdateOrder = "alternating",
        clip_grad_norm: float | None = None,
    ) -> None:
        check_positive(clip=clip)
        super().__init__(
            image_shape,
            latent_dim,
            width,
            generator,
            discriminator,
            noise,
            "wasserstein",
            0.0,
            optimizer_d,
            optimizer_g,
            n_critic,
            update,
            clip_grad_norm,
        )
        self.clip = clip

    @torch.no_grad()
    def after_discriminator_turn(self) -> None:
        """Clip every parameter of the critic to [-clip, clip]."""
        for parameter in self.discriminator.parameters():
            parameter.clamp_(-self.clip, self.clip)
