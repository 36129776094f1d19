"""Pix2pix: images translated by a generator that sees pairs, and a discriminator that sees both of each."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torchmetrics import MeanAbsoluteError
from torchmetrics.image import PeakSignalNoiseRatio
from typing_extensions import override

from dlmodules.adversarial.losses import LossName, judgements, realness
from dlmodules.errors import UserError
from dlmodules.layers.channels_last import use_channels_last
from dlmodules.translation.judging import judge_both
from dlmodules.translation.module import TranslationModule
from dlmodules.translation.pairs import ImagePairs
from dlmodules.translation.patch_discriminator import PatchDiscriminator
from dlmodules.translation.unet import UNetGenerator
from dlmodules.validation.arguments import check_at_least
from dlmodules.validation.networks import check_network


class Pix2Pix(TranslationModule):
    """A U-Net translates images of ``a`` into those of ``b`` that belong to them, and must convince a PatchGAN.

    The discriminator reads an image of ``a`` and one of ``b``, the real or the translated one. What the generator
    minimises is its adversarial loss and ``l1`` times the mean distance to the real image. There is no noise but
    dropout in training: the paper found that the generator learns to ignore any other.

    Logged every few steps: ``train/d_loss``, ``train/g_loss`` and its terms ``train/adversarial_loss`` and
    ``train/l1_loss`` (of images in [0, 1]), ``train/d_accuracy``, ``train/d_real`` and ``train/d_fake``, means over
    patches. For validation and test: ``l1``, the mean absolute error of a pixel in [0, 1], ``psnr`` in decibels, and
    ``d_real``.

    Paper: Isola et al. 2016, Image-to-Image Translation with Conditional Adversarial Networks, arXiv:1611.07004.
    Books: foster F5.6, foster F9.9.

    Args:
        source_shape: channels, height and width of the images of ``a``; the default networks need sizes with factors
            of 2.
        image_shape: of those of ``b``; of the same size.
        width: filters of the first convolution of either default network.
        layers: halvings of the default discriminator: 3 have it judge patches of 70 pixels, 2 of 34, 1 of 16.
        generator: maps images ``(B, *source_shape)`` to images ``(B, *image_shape)``; its attribute ``output_range``
            (default [0, 1]) says in which range. None builds ``UNetGenerator``.
        discriminator: maps images of both domains, their channels one above the other, to outputs of any shape
            ``(B, ...)``. None builds ``PatchDiscriminator``. Its attribute ``per_sample`` (default false) says that no
            image of a batch changes its outputs for another.
        l1: weight of the mean distance of a pixel in the networks' range.
        adversarial: weight of the adversarial loss; 0 leaves the discriminator untrained: a regression of pixels.
        loss: ``non_saturating``, ``minimax``, ``least_squares``, ``wasserstein`` or ``hinge``.
        **kwargs: of ``TranslationModule``: its optimizers, ``scheduler`` and ``clip_grad_norm``.

    Raises:
        UserError: for a number out of range, and sizes that the networks cannot have.
    """

    best_metric = ("val/l1", "min")
    paired = True
    small_arguments: ClassVar[Mapping[str, Any]] = {
        "source_shape": (1, 16, 16),
        "image_shape": (1, 16, 16),
        "width": 16,
        "layers": 1,
        "scheduler": None,
    }

    def __init__(
        self,
        source_shape: Sequence[int] = (3, 256, 256),
        image_shape: Sequence[int] = (3, 256, 256),
        width: int = 64,
        layers: int = 3,
        generator: nn.Module | None = None,
        discriminator: nn.Module | None = None,
        l1: float = 100.0,
        adversarial: float = 1.0,
        loss: LossName = "non_saturating",
        **kwargs: Any,
    ) -> None:
        super().__init__(source_shape, image_shape, loss, **kwargs)
        check_at_least(0, l1=l1, adversarial=adversarial)
        if l1 == adversarial == 0:
            raise UserError("l1 and adversarial are both 0: there is nothing to learn from")
        self.l1, self.adversarial = l1, adversarial
        self.generator = generator or UNetGenerator(source_shape, image_shape, width)
        both = (source_shape[0] + image_shape[0], *image_shape[1:])
        self.discriminator = discriminator or PatchDiscriminator(both, width, layers, "affine_instance")
        check_network(self.generator, "generator", source_shape=self.source_shape, image_shape=self.image_shape)
        check_network(self.discriminator, "discriminator", image_shape=both)
        self.val_l1, self.test_l1 = MeanAbsoluteError(), MeanAbsoluteError()
        self.val_psnr, self.test_psnr = PeakSignalNoiseRatio(data_range=1.0), PeakSignalNoiseRatio(data_range=1.0)
        use_channels_last(self)

    @property
    @override
    def generators(self) -> dict[str, nn.Module]:
        return {"a2b": self.generator}

    @property
    @override
    def discriminators(self) -> list[nn.Module]:
        return [self.discriminator]

    def discriminate(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the discriminator's outputs for images of ``b`` as translations of ``a``."""
        outputs: Tensor = self.discriminator(torch.cat([a, b], dim=1))
        return outputs

    def generator_losses(self, pairs: ImagePairs, fake: Tensor) -> dict[str, Tensor]:
        """Return what the generator minimises for translations ``fake`` as ``g_loss``, and its terms."""
        distance = (fake - pairs.b).abs().mean()
        low, high = self.output_range
        losses = {"g_loss": self.l1 * distance, "l1_loss": distance / (high - low)}
        if self.adversarial > 0:
            fooled = self.loss.generator(self.discriminate(pairs.a, fake))
            losses |= {"g_loss": losses["g_loss"] + self.adversarial * fooled, "adversarial_loss": fooled}
        return losses

    def discriminator_losses(self, pairs: ImagePairs, fake: Tensor) -> dict[str, Tensor]:
        """Return what the discriminator minimises as ``d_loss``, and how well it tells real from translated."""
        real_outputs, fake_outputs = judge_both(
            self.discriminator, (pairs.a, pairs.b), (pairs.a, fake), self.discriminate
        )
        loss = self.loss.discriminator(real_outputs, fake_outputs)
        return {"d_loss": loss, **judgements(self.loss, real_outputs, fake_outputs)}

    @override
    def take_turns(self, pairs: ImagePairs) -> dict[str, Tensor]:
        fake = self.generator(pairs.a)
        metrics: dict[str, Tensor] = {}
        if self.adversarial > 0:
            metrics = self.discriminator_losses(pairs, fake.detach())
            self.descend(metrics["d_loss"], self.discriminator, self.optimizer_at(0))
        losses = self.generator_losses(pairs, fake)
        self.descend(losses["g_loss"], self.generator, self.optimizer_at(1))
        return metrics | losses

    @override
    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "val", self.val_l1, self.val_psnr)

    @override
    def test_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "test", self.test_l1, self.test_psnr)

    def _evaluate(
        self, batch: Any, batch_idx: int, stage: str, l1: MeanAbsoluteError, psnr: PeakSignalNoiseRatio
    ) -> None:
        pairs = self.pairs_of(batch, batch_idx)
        found, wanted = self.to_unit_range(self.generator(pairs.a)).clamp(0, 1), self.to_unit_range(pairs.b)
        l1.update(found.contiguous(), wanted.contiguous())
        psnr.update(found, wanted)
        judged = realness(self.loss, self.discriminate(pairs.a, pairs.b))
        self.log_dict(
            {f"{stage}/l1": l1, f"{stage}/psnr": psnr, f"{stage}/d_real": judged},
            batch_size=len(pairs.a),
            prog_bar=True,
            sync_dist=True,
        )
