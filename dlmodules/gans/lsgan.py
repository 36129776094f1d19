"""The least-squares GAN."""

from collections.abc import Sequence

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import nn

from dlmodules.adversarial.module import UpdateOrder
from dlmodules.gans.dcgan import DCGAN
from dlmodules.gans.gan import Noise


class LSGAN(DCGAN):
    """A DCGAN whose discriminator draws real images to 1 and made ones to 0 by squares, and has no sigmoid.

    Samples far on the right side of the border keep a gradient, towards it. It logs what ``GAN`` logs; ``train/d_loss``
    is 0.25 when the discriminator knows nothing.

    Paper: Mao et al. 2017, Least Squares Generative Adversarial Networks, arXiv:1611.04076.
    Books: atienza 5.2.1.

    Args:
        image_shape: channels, height and width of the images; the default networks need multiples of 4.
        latent_dim: size of the noise vector.
        width: multiplies the filters of the default networks; 0.25 trains on a CPU.
        generator: maps noise to images; its attribute ``output_range`` (default [0, 1]) says in which range.
            None builds ``DCGANGenerator`` (1,301,505 parameters).
        discriminator: maps images in the generator's range to outputs ``(B,)``. None builds
            ``DCGANDiscriminator`` (1,080,577 parameters).
        noise: ``uniform`` on [-1, 1] (the book's) or ``normal``.
        r1: weight of half the squared slope of the discriminator at real images, the paper's gamma; 0 for none.
        optimizer_d: makes the discriminator's optimizer.
        optimizer_g: makes the generator's optimizer; half the learning rate is more stable.
        n_critic: turns of the discriminator for each update of the generator.
        update: ``alternating``; ``simultaneous`` with one batch of fakes for both networks; or ``separate`` updates of
            the discriminator on real and on made images.
        clip_grad_norm: largest norm of each network's gradient; None does not clip.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 100,
        width: float = 1.0,
        generator: nn.Module | None = None,
        discriminator: nn.Module | None = None,
        noise: Noise = "uniform",
        r1: float = 0.0,
        optimizer_d: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=2e-4, alpha=0.9, eps=1e-7),
        optimizer_g: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=1e-4, alpha=0.9, eps=1e-7),
        n_critic: int = 1,
        update: UpdateOrder = "alternating",
        clip_grad_norm: float | None = None,
    ) -> None:
        super().__init__(
            image_shape,
            latent_dim,
            width,
            generator,
            discriminator,
            noise,
            "least_squares",
            r1,
            optimizer_d,
            optimizer_g,
            n_critic,
            update,
            clip_grad_norm,
        )
