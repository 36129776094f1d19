"""The Wasserstein GAN, with clipped weights."""

from typing import Any

import torch
from pytorch_lightning.cli import OptimizerCallable
from typing_extensions import override

from dlmodules.gans.dcgan import DCGAN
from dlmodules.validation.arguments import check_positive


class WGAN(DCGAN):
    """A DCGAN whose critic estimates the earth mover's distance between real and fake images.

    Its weights are clipped after each of its turns, which bounds its slope. It logs what ``GAN`` logs; ``train/d_loss``
    is minus the ``train/wasserstein`` estimate, which falls as the samples become better.

    Paper: Arjovsky, Chintala & Bottou 2017, Wasserstein GAN, arXiv:1701.07875.
    Books: atienza 5.1.2, atienza 5.1.2-B, foster F4.4.

    Args:
        clip: largest absolute value of the critic's weights, biases included.
        optimizer_d: makes the critic's optimizer; one with momentum is unstable here.
        optimizer_g: makes the generator's optimizer.
        n_critic: turns of the critic for each update of the generator.
        **kwargs: arguments of ``DCGAN`` other than ``loss`` and ``r1``.
    """

    loss_falls = False  # the first weights are not clipped yet: a steep critic, whose estimate shrinks with them

    def __init__(
        self,
        clip: float = 0.01,
        optimizer_d: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=5e-5, alpha=0.9, eps=1e-7),
        optimizer_g: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=5e-5, alpha=0.9, eps=1e-7),
        n_critic: int = 5,
        **kwargs: Any,
    ) -> None:
        check_positive(clip=clip)
        super().__init__(
            loss="wasserstein", r1=0.0, optimizer_d=optimizer_d, optimizer_g=optimizer_g, n_critic=n_critic, **kwargs
        )
        self.clip = clip

    @override
    @torch.no_grad()
    def after_discriminator_turn(self) -> None:
        for parameter in self.discriminator.parameters():
            parameter.clamp_(-self.clip, self.clip)
