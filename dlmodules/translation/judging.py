"""What a discriminator says of real images and of made ones."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def judge_both(
    discriminator: nn.Module,
    real: tuple[Tensor, ...],
    made: tuple[Tensor, ...],
    judge: Callable[..., Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Return what ``discriminator`` says of real images and of made ones.

    One whose attribute ``each_alone`` says that no image changes what it says of another reads both in one batch,
    which is faster. Any other, such as one with batch norms, reads one kind after the other.

    Args:
        discriminator: of the images.
        real: what is read of real images, such as ``(images,)``, or a condition and images: each ``(N, C, H, W)``.
        made: the same of made ones, each ``(M, C, H, W)``.
        judge: returns the outputs for one of them; None is the discriminator itself.
    """
    judge = judge or discriminator
    if not getattr(discriminator, "each_alone", False):
        return judge(*real), judge(*made)
    outputs = judge(*(torch.cat(both) for both in zip(real, made, strict=True)))
    of_real, of_made = outputs.split([len(real[0]), len(made[0])])
    return of_real, of_made
