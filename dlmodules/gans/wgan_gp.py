"""The Wasserstein GAN with a gradient penalty."""

from typing import Any

from pytorch_lightning.cli import OptimizerCallable
from torch import nn
from typing_extensions import override

from dlmodules.adversarial.module import UpdateOrder
from dlmodules.adversarial.optimizers import AdversarialAdam
from dlmodules.adversarial.terms import GradientPenaltyTerm, LossTerm
from dlmodules.errors import UserError
from dlmodules.gans.dcgan import DCGAN
from dlmodules.gans.gan import Noise
from dlmodules.validation.arguments import check_at_least


class WGANGP(DCGAN):
    """A Wasserstein GAN with a penalty on the critic's slope between real and fake images instead of clipping.

    Logged: ``train/d_loss``; ``train/wasserstein``, the estimate of the distance, and ``train/gp_loss``, the penalty
    without its weight, which ``d_loss`` is made of; ``train/g_loss``, ``train/d_real`` and ``train/d_fake``, the
    critic's means; ``val/d_real`` on images that the critic never trained on.

    Paper: Gulrajani et al. 2017, Improved Training of Wasserstein GANs, arXiv:1704.00028.
    Books: foster F4.5.

    Args:
        penalty: weight of the gradient penalty.
        discriminator: the critic; it maps images in the generator's range to outputs ``(B,)``, each image by itself:
            no batch normalization. None builds ``DCGANDiscriminator`` (1,080,577 parameters).
        noise: ``uniform`` on [-1, 1] or ``normal``.
        optimizer_d: makes the critic's optimizer; the default is the paper's.
        optimizer_g: makes the generator's optimizer; the default is the paper's.
        n_critic: turns of the critic for each update of the generator.
        update: ``alternating``, or ``simultaneous`` with one batch of fakes for both networks; the penalty wants both
            halves in one update.
        **kwargs: arguments of ``DCGAN`` other than ``loss`` and ``r1``.
    """

    def __init__(
        self,
        penalty: float = 10.0,
        discriminator: nn.Module | None = None,
        noise: Noise = "normal",
        optimizer_d: OptimizerCallable = lambda p: AdversarialAdam(p, lr=1e-4, beta1=0.0, beta2=0.9),
        optimizer_g: OptimizerCallable = lambda p: AdversarialAdam(p, lr=1e-4, beta1=0.0, beta2=0.9),
        n_critic: int = 5,
        update: UpdateOrder = "alternating",
        **kwargs: Any,
    ) -> None:
        check_at_least(0, penalty=penalty)
        if update == "separate":
            raise UserError("WGANGP has no separate updates; choose alternating or simultaneous")
        super().__init__(
            discriminator=discriminator,
            noise=noise,
            loss="wasserstein",
            r1=0.0,
            optimizer_d=optimizer_d,
            optimizer_g=optimizer_g,
            n_critic=n_critic,
            update=update,
            **kwargs,
        )
        self.penalty = penalty

    @override
    def loss_terms(self) -> list[LossTerm]:
        return [*super().loss_terms(), GradientPenaltyTerm(self.penalty, self.discriminate)]
