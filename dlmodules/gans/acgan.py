"""The auxiliary classifier GAN: the discriminator is not told the class, but asked for it."""

from collections.abc import Sequence

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.adversarial.losses import LossName
from dlmodules.adversarial.module import DiscriminatorOutput, Images, UpdateOrder
from dlmodules.errors import UserError
from dlmodules.gans.cgan import CGAN, ConditionalGenerator
from dlmodules.gans.dcgan import DCGANDiscriminator
from dlmodules.gans.gan import Noise
from dlmodules.gans.widths import scaled
from dlmodules.layers.initialization import glorot_uniform_

HEAD_DIM = 128


class ClassifyingDiscriminator(nn.Module):
    """The discriminator of ``DCGAN`` with a second answer: the class, by two linear layers from the same features.

    1,606,283 parameters at the book's sizes; the 128 units between the layers are linear there.

    Args:
        image_shape: channels, height and width of the images.
        num_classes: number of classes.
        width: multiplies the filters and the units between the layers.
    """

    def __init__(self, image_shape: Sequence[int] = (1, 28, 28), num_classes: int = 10, width: float = 1.0) -> None:
        super().__init__()
        self.image_shape, self.num_classes, self.width = tuple(image_shape), num_classes, width
        self.body = DCGANDiscriminator(image_shape, width)
        head_dim = scaled(HEAD_DIM, width)
        self.label_hidden = nn.Linear(self.body.hidden_dim, head_dim)
        self.label = nn.Linear(head_dim, num_classes)
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map images ``(B, C, H, W)`` to logits ``(B,)`` of being real, and ``(B, num_classes)`` of the classes."""
        hidden = self.body.hidden(x)
        return self.body.dense(hidden).squeeze(1), self.label(self.label_hidden(hidden))


class ACGAN(CGAN):
    """A conditional GAN whose discriminator tells the class of real and made images, beside real from made.

    It logs what ``GAN`` logs, and ``train/d_label_loss`` and ``train/g_label_loss``, the cross-entropy of the classes
    in the discriminator's update and in the generator's.

    Paper: Odena, Olah & Shlens 2017, Conditional Image Synthesis with Auxiliary Classifier GANs, arXiv:1610.09585.
    Books: atienza 5.3.1, atienza 5.3.1-C.

    Args:
        image_shape: channels, height and width of the images; the default networks need multiples of 4.
        latent_dim: size of the noise vector.
        num_classes: number of classes.
        width: multiplies the filters of the default networks; 0.25 trains on a CPU.
        generator: maps noise and labels to images; its attribute ``output_range`` (default [0, 1]) says in which
            range. None builds ``ConditionalGenerator`` (1,364,225 parameters).
        discriminator: maps images to outputs ``(B,)`` and the logits ``(B, num_classes)`` of the classes. None builds
            ``ClassifyingDiscriminator`` (1,606,283 parameters).
        label_weight: of the cross-entropy of the classes, in both losses.
        noise: ``uniform`` on [-1, 1] (the book's) or ``normal``.
        loss: ``non_saturating``, ``minimax``, ``least_squares``, ``wasserstein`` or ``hinge``.
        r1: weight of half the squared slope of the discriminator at real images, the paper's gamma; 0 for none.
        optimizer_d: makes the discriminator's optimizer.
        optimizer_g: makes the generator's optimizer; half the learning rate is more stable.
        n_critic: turns of the discriminator for each update of the generator.
        update: ``alternating``, or ``simultaneous`` with one batch of fakes for both networks; the classes want both
            halves in one update.
        clip_grad_norm: largest norm of each network's gradient; None does not clip.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 100,
        num_classes: int = 10,
        width: float = 1.0,
        generator: nn.Module | None = None,
        discriminator: nn.Module | None = None,
        label_weight: float = 1.0,
        noise: Noise = "uniform",
        loss: LossName = "non_saturating",
        r1: float = 0.0,
        optimizer_d: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=2e-4, alpha=0.9, eps=1e-7),
        optimizer_g: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=1e-4, alpha=0.9, eps=1e-7),
        n_critic: int = 1,
        update: UpdateOrder = "alternating",
        clip_grad_norm: float | None = None,
    ) -> None:
        if update == "separate":
            raise UserError(f"{type(self).__name__} has no separate updates; choose alternating or simultaneous")
        super().__init__(
            image_shape,
            latent_dim,
            num_classes,
            width,
            generator or ConditionalGenerator(image_shape, latent_dim, num_classes, width),
            discriminator or ClassifyingDiscriminator(image_shape, num_classes, width),
            noise,
            loss,
            r1,
            optimizer_d,
            optimizer_g,
            n_critic,
            update,
            clip_grad_norm,
        )
        self.label_weight = label_weight

    def discriminate(self, images: Images) -> DiscriminatorOutput:
        """Let the discriminator look at images, without their labels."""
        source, labels = self.discriminator(images.x)
        return DiscriminatorOutput(images, source, labels)

    def label_loss(self, judged: DiscriminatorOutput) -> Tensor:
        """Return the cross-entropy ``()`` of the classes."""
        assert judged.labels is not None
        assert judged.images.labels is not None
        return F.cross_entropy(judged.labels, judged.images.labels)

    def weight_of_labels(self) -> float:
        """Return how much the cross-entropy of the classes weighs at present."""
        return self.label_weight

    def discriminator_label_loss(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return the cross-entropy ``()`` of the classes of real and made images, which weigh the same."""
        return 0.5 * (self.label_loss(real) + self.label_loss(fake))

    def discriminator_losses(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> dict[str, Tensor]:
        """Add the cross-entropy of the classes."""
        losses = super().discriminator_losses(real, fake)
        label_loss = self.discriminator_label_loss(real, fake)
        return losses | {"d_loss": losses["d_loss"] + self.weight_of_labels() * label_loss, "d_label_loss": label_loss}

    def generator_losses(self, fake: DiscriminatorOutput) -> dict[str, Tensor]:
        """Add the cross-entropy of the classes that were asked for."""
        losses = super().generator_losses(fake)
        label_loss = self.label_loss(fake)
        return losses | {"g_loss": losses["g_loss"] + self.weight_of_labels() * label_loss, "g_label_loss": label_loss}
