"""Terms of a GAN's losses besides the adversarial one; a variant adds its own to the list."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.adversarial.module import DiscriminatorOutput, Images
from dlmodules.adversarial.penalties import Critic, gradient_penalty, r1_penalty

Losses = dict[str, Tensor]
Discriminate = Callable[[Images], DiscriminatorOutput]


@dataclass(frozen=True)
class LossTerm:
    """A summand of the losses of discriminator and generator. A child overrides the methods of those it belongs to.

    Each method returns mean losses ``()`` without their weight, by the names under which they are logged.

    Args:
        weight: of all of them.
    """

    differentiates_twice: ClassVar[bool] = False
    """Whether the term differentiates a gradient of the discriminator."""

    weight: float

    def of_real_half(self, real: DiscriminatorOutput) -> Losses:
        """Return what belongs to the discriminator's loss of real images, and shares the weight that this loss has."""
        return {}

    def of_discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Losses:
        """Return what belongs to the discriminator's loss as a whole."""
        return {}

    def of_generator(self, fake: DiscriminatorOutput) -> Losses:
        """Return what belongs to the generator's loss."""
        return {}


@dataclass(frozen=True)
class R1Term(LossTerm):
    """Half the squared slope of the discriminator at real images, logged as ``r1_loss``."""

    differentiates_twice: ClassVar[bool] = True

    discriminate: Discriminate

    @override
    def of_real_half(self, real: DiscriminatorOutput) -> Losses:
        return {"r1_loss": r1_penalty(_critic(self.discriminate, real.images), real.images.x)}


@dataclass(frozen=True)
class GradientPenaltyTerm(LossTerm):
    """The squared distance to 1 of the critic's slope between real and fake images, logged as ``gp_loss``."""

    differentiates_twice: ClassVar[bool] = True

    discriminate: Discriminate

    @override
    def of_discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Losses:
        return {"gp_loss": gradient_penalty(_critic(self.discriminate, real.images), real.images.x, fake.images.x)}


@dataclass(frozen=True)
class AuxiliaryTerm(LossTerm):
    """The loss of an auxiliary output of the discriminator, such as the class, in both networks' losses.

    Args:
        weight: in both losses.
        name: it is logged as ``d_<name>_loss`` and ``g_<name>_loss``.
        loss: of the output for some images: ``()``.
        on_real: whether the discriminator minimises the mean over real and fake images, or that over fake ones alone.
    """

    name: str
    loss: Callable[[DiscriminatorOutput], Tensor]
    on_real: bool = False

    @override
    def of_discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Losses:
        loss = 0.5 * (self.loss(real) + self.loss(fake)) if self.on_real else self.loss(fake)
        return {f"d_{self.name}_loss": loss}

    @override
    def of_generator(self, fake: DiscriminatorOutput) -> Losses:
        return {f"g_{self.name}_loss": self.loss(fake)}


def add_losses(losses: Losses, total: str, added: Losses, weight: float) -> Losses:
    """Return ``losses`` with those of ``added``, each of which enters ``losses[total]`` times ``weight``."""
    for name, loss in added.items():
        losses = losses | {total: losses[total] + weight * loss, name: loss}
    return losses


def class_loss(output: DiscriminatorOutput) -> Tensor:
    """Return the cross-entropy ``()`` of the classes that the discriminator predicts, of images with labels."""
    assert output.labels is not None
    assert output.images.labels is not None
    return F.cross_entropy(output.labels, output.images.labels)


def _critic(discriminate: Discriminate, images: Images) -> Critic:
    """Return the discriminator as a function of tensors ``(B, C, H, W)`` in place of those of ``images``."""
    return lambda x: discriminate(images._replace(x=x)).source
