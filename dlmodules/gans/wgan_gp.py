"""The Wasserstein GAN with a gradient penalty."""

from collections.abc import Sequence

from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn

from dlmodules.adversarial.module import DiscriminatorOutput, UpdateOrder
from dlmodules.adversarial.optimizers import AdversarialAdam
from dlmodules.adversarial.penalties import gradient_penalty
from dlmodules.errors import UserError
from dlmodules.gans.dcgan import DCGAN
from dlmodules.gans.gan import Noise
from dlmodules.validation.arguments import check_at_least


class WGANGP(DCGAN):
    """A Wasserstein GAN that asks its critic for a slope of 1 between real and made images, in place of clipping.

    Logged: ``train/d_loss``; ``train/wasserstein``, the estimate of the distance, and ``train/gp_loss``, the penalty
    without its weight, which ``d_loss`` is made of; ``train/g_loss``, ``train/d_real`` and ``train/d_fake``, the
    critic's means; ``val/d_real`` on images that the critic never trained on.

    Paper: Gulrajani et al. 2017, Improved Training of Wasserstein GANs, arXiv:1704.00028.
    Books: foster F4.5.

    Args:
        image_shape: channels, height and width of the images; the default networks need multiples of 4.
        latent_dim: size of the noise vector.
        width: multiplies the filters of the default networks; 0.25 trains on a CPU.
        penalty: weight of the gradient penalty.
        generator: maps noise to images; its attribute ``output_range`` (default [0, 1]) says in which range.
            None builds ``DCGANGenerator`` (1,301,505 parameters).
        discriminator: the critic; it maps images in the generator's range to outputs ``(B,)``, each image by itself:
            no batch normalization. None builds ``DCGANDiscriminator`` (1,080,577 parameters).
        noise: ``uniform`` on [-1, 1] or ``normal``.
        optimizer_d: makes the critic's optimizer; the default is the paper's.
        optimizer_g: makes the generator's optimizer; the default is the paper's.
        n_critic: turns of the critic for each update of the generator.
        update: ``alternating``, or ``simultaneous`` with one batch of fakes for both networks; the penalty wants both
            halves in one update.
        clip_grad_norm: largest norm of each network's gradient; None does not clip.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 100,
        width: float = 1.0,
        penalty: float = 10.0,
        generator: nn.Module | None = None,
        discriminator: nn.Module | None = None,
        noise: Noise = "normal",
        optimizer_d: OptimizerCallable = lambda p: AdversarialAdam(p, lr=1e-4, beta1=0.0, beta2=0.9),
        optimizer_g: OptimizerCallable = lambda p: AdversarialAdam(p, lr=1e-4, beta1=0.0, beta2=0.9),
        n_critic: int = 5,
        update: UpdateOrder = "alternating",
        clip_grad_norm: float | None = None,
    ) -> None:
        check_at_least(0, penalty=penalty)
        if update == "separate":
            raise UserError("WGANGP has no separate updates; choose alternating or simultaneous")
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
        self.penalty = penalty

    @property
    def twice_differentiated(self) -> tuple[str, ...]:
        """The critic, whose gradient the penalty differentiates."""
        return ("discriminator",)

    def discriminator_losses(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> dict[str, Tensor]:
        """Add the gradient penalty."""
        losses = super().discriminator_losses(real, fake)
        penalty = gradient_penalty(self.discriminator, real.images.x, fake.images.x)
        return losses | {"d_loss": losses["d_loss"] + self.penalty * penalty, "gp_loss": penalty}
