"""The auxiliary classifier GAN: the discriminator does not see the class, but predicts it."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from typing_extensions import override

from dlmodules.adversarial.module import DiscriminatorOutput, Images, UpdateOrder
from dlmodules.adversarial.terms import AuxiliaryTerm, LossTerm, class_loss
from dlmodules.errors import UserError
from dlmodules.gans.cgan import ConditionalGenerator
from dlmodules.gans.conditional import ConditionalGAN
from dlmodules.gans.dcgan import DCGANDiscriminator
from dlmodules.gans.widths import scaled
from dlmodules.layers.initialization import glorot_uniform_

HEAD_DIM = 128


class ClassifyingDiscriminator(nn.Module):
    """The discriminator of ``DCGAN`` with a second output: the class, by two linear layers from the same features.

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


class ACGAN(ConditionalGAN):
    """A conditional GAN whose discriminator predicts the class of real and fake images, besides real from fake.

    It logs what ``GAN`` logs, and ``train/d_label_loss`` and ``train/g_label_loss``, the cross-entropy of the classes
    in the discriminator's update and in the generator's.

    Paper: Odena, Olah & Shlens 2017, Conditional Image Synthesis with Auxiliary Classifier GANs, arXiv:1610.09585.
    Books: atienza 5.3.1, atienza 5.3.1-C.

    Args:
        discriminator: maps images to outputs ``(B,)`` and the logits ``(B, num_classes)`` of the classes. None builds
            ``ClassifyingDiscriminator`` (1,606,283 parameters).
        label_weight: of the cross-entropy of the classes, in both losses.
        update: ``alternating``, or ``simultaneous`` with one batch of fakes for both networks; the classes want both
            halves in one update.
        **kwargs: arguments of ``ConditionalGAN`` and ``GAN``.
    """

    default_generator = ConditionalGenerator
    default_discriminator = ClassifyingDiscriminator

    def __init__(
        self,
        discriminator: nn.Module | None = None,
        label_weight: float = 1.0,
        update: UpdateOrder = "alternating",
        **kwargs: Any,
    ) -> None:
        if update == "separate":
            raise UserError(f"{type(self).__name__} has no separate updates; choose alternating or simultaneous")
        super().__init__(discriminator=discriminator, update=update, **kwargs)
        self.label_weight = label_weight

    @override
    def discriminate(self, images: Images) -> DiscriminatorOutput:
        """Return the outputs for real against fake and the class logits; the discriminator does not see labels."""
        return DiscriminatorOutput(images, *self.discriminator(images.x))

    @override
    def loss_terms(self) -> list[LossTerm]:
        return [*super().loss_terms(), AuxiliaryTerm(self.label_weight, "label", self.label_loss, on_real=True)]

    def label_loss(self, output: DiscriminatorOutput) -> Tensor:
        """Return the cross-entropy ``()`` of the classes of real or fake images."""
        return class_loss(output)
