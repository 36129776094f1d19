"""Adversarial losses as pure functions of the discriminator's logits."""

from torch import Tensor
from torch.nn import functional as F


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Binary cross-entropy of telling real from fake, averaged over both halves.

    -(E[log D(x)] + E[log(1 - D(G(z)))]) / 2 with D the sigmoid of the logits: the mean over one batch
    that holds as many real as fake images. A discriminator that knows nothing has log 2 = 0.693.
    """
    return 0.5 * (F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean())


def non_saturating_generator_loss(fake_logits: Tensor) -> Tensor:
    """-E[log D(G(z))]: it keeps its gradient while the discriminator is sure of the fakes."""
    return F.softplus(-fake_logits).mean()


def discriminator_accuracy(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Return the fraction in [0, 1] of images that the discriminator judges rightly."""
    return 0.5 * ((real_logits > 0).float().mean() + (fake_logits <= 0).float().mean())
