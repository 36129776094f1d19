"""Adversarial losses as pure functions of the discriminator's outputs, chosen by name."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from dlmodules.errors import UserError

LossName = Literal["non_saturating", "minimax", "least_squares", "wasserstein", "hinge"]


class AdversarialLoss(NamedTuple):
    """What a discriminator and a generator minimise; each function maps outputs ``(B,)`` to their mean loss.

    Args:
        real: of the discriminator's outputs for real images.
        fake: of its outputs for fake images.
        generator: of the same outputs, for the generator.
        weight: of ``real + fake``, where both halves make one loss.
        threshold: the output above which an image counts as real; None where outputs have no such meaning.
        is_logit: whether the sigmoid of an output is the probability that the image is real.
        is_distance: whether the mean output for real images minus that for fake ones estimates their distance.
    """

    real: Callable[[Tensor], Tensor]
    fake: Callable[[Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]
    weight: float = 1.0
    threshold: float | None = None
    is_logit: bool = False
    is_distance: bool = False

    def discriminator(self, real_outputs: Tensor, fake_outputs: Tensor) -> Tensor:
        """Return the loss ``()`` of both halves, real and fake."""
        return self.weight * (self.real(real_outputs) + self.fake(fake_outputs))


def negative_log_sigmoid(logits: Tensor) -> Tensor:
    """-E[log D], with D the sigmoid of the logits: the cross-entropy of the answer "real"."""
    return F.softplus(-logits).mean()


def negative_log_complement(logits: Tensor) -> Tensor:
    """-E[log(1 - D)]: the cross-entropy of the answer "fake"."""
    return F.softplus(logits).mean()


def log_complement(logits: Tensor) -> Tensor:
    """E[log(1 - D(G(z)))]: the generator's side of the minimax game, flat where the discriminator is sure of fakes."""
    return -F.softplus(logits).mean()


def squared_distance_to_one(outputs: Tensor) -> Tensor:
    """E[(D - 1)^2]."""
    return (outputs - 1.0).square().mean()


def squared_distance_to_zero(outputs: Tensor) -> Tensor:
    """E[D^2]."""
    return outputs.square().mean()


def mean(outputs: Tensor) -> Tensor:
    """E[D]: the critic lowers it on fake images."""
    return outputs.mean()


def negative_mean(outputs: Tensor) -> Tensor:
    """-E[D]: the critic raises D on real images, the generator on its own."""
    return -outputs.mean()


def hinge_real(outputs: Tensor) -> Tensor:
    """E[max(0, 1 - D)]: real images are asked to lie above 1, and no further."""
    return F.relu(1.0 - outputs).mean()


def hinge_fake(outputs: Tensor) -> Tensor:
    """E[max(0, 1 + D)]: fake images are asked to lie below -1, and no further."""
    return F.relu(1.0 + outputs).mean()


# Cross-entropy and squares are means over one batch that holds as many real as fake images, as the books take them:
# a discriminator that cannot tell real from fake then has log 2 = 0.693, and 0.25.
LOSSES: dict[LossName, AdversarialLoss] = {
    "non_saturating": AdversarialLoss(
        negative_log_sigmoid, negative_log_complement, negative_log_sigmoid, 0.5, threshold=0.0, is_logit=True
    ),
    "minimax": AdversarialLoss(
        negative_log_sigmoid, negative_log_complement, log_complement, 0.5, threshold=0.0, is_logit=True
    ),
    "least_squares": AdversarialLoss(
        squared_distance_to_one, squared_distance_to_zero, squared_distance_to_one, 0.5, threshold=0.5
    ),
    "wasserstein": AdversarialLoss(negative_mean, mean, negative_mean, is_distance=True),
    "hinge": AdversarialLoss(hinge_real, hinge_fake, negative_mean, threshold=0.0),
}


def loss_named(name: LossName) -> AdversarialLoss:
    """Return one of ``LOSSES``. Raises UserError where there is none of that name."""
    if name not in LOSSES:
        raise UserError(f"loss {name!r} is unknown; choose one of {', '.join(LOSSES)}")
    return LOSSES[name]


def realness(loss: AdversarialLoss, outputs: Tensor) -> Tensor:
    """Return the mean ``()`` of a discriminator's ``outputs``, as probabilities of being real where ``loss`` has such.

    Where it judges patches, ``(B, 1, h, w)``, all of them count.
    """
    return (torch.sigmoid(outputs) if loss.is_logit else outputs).mean()


def judgements(loss: AdversarialLoss, real_outputs: Tensor, fake_outputs: Tensor) -> dict[str, Tensor]:
    """Return how well a discriminator tells real from fake, for the logs: means over images, and patches of them."""
    real, fake = real_outputs.detach(), fake_outputs.detach()
    found = {}
    if loss.threshold is not None:
        found["d_accuracy"] = discriminator_accuracy(real, fake, loss.threshold)
    found |= {"d_real": realness(loss, real), "d_fake": realness(loss, fake)}
    if loss.is_distance:
        found["wasserstein"] = found["d_real"] - found["d_fake"]
    return found


def discriminator_accuracy(real_outputs: Tensor, fake_outputs: Tensor, threshold: float) -> Tensor:
    """Return the fraction in [0, 1] of images on the right side of ``threshold``; each half weighs the same."""
    return 0.5 * ((real_outputs > threshold).float().mean() + (fake_outputs <= threshold).float().mean())
