"""Outputs of a discriminator for real and fake images."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def judge_both(
    discriminator: nn.Module,
    real: tuple[Tensor, ...],
    fake: tuple[Tensor, ...],
    judge: Callable[..., Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the outputs of ``discriminator`` for real and for fake images.

    One whose attribute ``per_sample`` says that no image changes what it says of another reads both in one batch,
    which is faster. Any other, such as one with batch norms, reads one kind after the other.

    Args:
        discriminator: of the images.
        real: what is read of real images, such as ``(images,)``, or a condition and images: each ``(N, C, H, W)``.
        fake: the same of fake ones, each ``(M, C, H, W)``.
        judge: returns the outputs for one of them; None is the discriminator itself.
    """
    judge = judge or discriminator
    if not getattr(discriminator, "per_sample", False):
        return judge(*real), judge(*fake)
    outputs = judge(*(torch.cat(both) for both in zip(real, fake, strict=True)))
    of_real, of_fake = outputs.split([len(real[0]), len(fake[0])])
    return of_real, of_fake
