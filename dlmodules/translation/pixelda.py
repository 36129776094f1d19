"""PixelDA: a labelled domain is translated, with noise, while a classifier of the other domain learns from it."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from pytorch_lightning.cli import OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics.classification import MulticlassAccuracy
from typing_extensions import override

from dlmodules.adversarial.losses import LossName, judgements, realness
from dlmodules.errors import UserError
from dlmodules.layers.channels_last import use_channels_last
from dlmodules.training.schedules import with_schedule
from dlmodules.translation.module import TranslationModule
from dlmodules.translation.pairs import ImagePairs, check_pair_labels
from dlmodules.translation.pixelda_networks import NoiseResNetGenerator, NoisyDiscriminator, TaskNetwork
from dlmodules.translation.sizes import check_one_shape
from dlmodules.validation.arguments import check_at_least
from dlmodules.validation.networks import check_network


class PixelDA(TranslationModule):
    """A generator, a discriminator, and a classifier that learns to read what is translated from a labelled domain.

    Noise lets one image of ``a`` become many of ``b``. The classifier learns from both, and what the generator makes
    must be read as the label of what it was made from; so the classifier comes to read a domain whose labels it has
    never seen. Each step updates the discriminator and the classifier on the same translations, then the generator
    against the first and for the second.

    Logged every few steps: ``train/d_loss``; ``train/g_loss`` and its terms ``train/adversarial_loss`` and
    ``train/task_loss``, the cross-entropy of the translations in nats; ``train/c_loss``, the classifier's, the sum of
    that of images and of translations; ``train/d_accuracy``, ``train/d_real`` and ``train/d_fake``. For validation and
    test: ``read_a``, ``read_a2b`` and ``read_b``, the part of the images of ``a``, of their translations, and of the
    images of ``b`` (where the batch has their labels) that the classifier reads as their label, and ``d_real``.

    Paper: Bousmalis et al. 2016, Unsupervised Pixel-Level Domain Adaptation with Generative Adversarial Networks,
        arXiv:1612.05424.
    Books: atienza 7.1.7.

    Args:
        source_shape: channels, height and width of the images of ``a``, the labelled domain; the default networks need
            sizes with factors of 8.
        image_shape: of those of ``b``; the same, since one classifier reads both.
        num_classes: classes of both domains.
        latent_dim: numbers of the default generator's noise.
        width: filters of the first convolution of the default generator and discriminator.
        blocks: residual blocks of the default generator.
        generator: maps images ``(B, *source_shape)`` to images ``(B, *image_shape)``, each time others; its attribute
            ``output_range`` (default [0, 1]) says in which range. None builds ``NoiseResNetGenerator``.
        discriminator: maps images ``(B, *image_shape)`` in this range to outputs of any shape ``(B, ...)``. None builds
            ``NoisyDiscriminator``.
        classifier: maps images of both domains in [0, 1] to logits ``(B, num_classes)``. None builds
            ``TaskNetwork``.
        adversarial: weight of the adversarial loss; 0 leaves the discriminator untrained.
        task: weight of the cross-entropy of what the generator makes.
        loss: ``non_saturating``, ``minimax``, ``least_squares``, ``wasserstein`` or ``hinge``.
        optimizer_c: makes the classifier's optimizer; ``scheduler`` is for it too.
        **kwargs: of ``TranslationModule``: its optimizers, ``scheduler`` and ``clip_grad_norm``.

    Raises:
        UserError: for a number out of range, domains of different shapes, sizes that the networks cannot have, and
            data without labels of ``a``.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        "source_shape": (1, 24, 24),
        "image_shape": (1, 24, 24),
        "width": 8,
        "blocks": 1,
        "generator": None,
        "discriminator": None,
        "classifier": None,
        "scheduler": None,
    }

    def __init__(
        self,
        source_shape: Sequence[int] = (3, 32, 32),
        image_shape: Sequence[int] = (3, 32, 32),
        num_classes: int = 10,
        latent_dim: int = 10,
        width: int = 64,
        blocks: int = 6,
        generator: nn.Module | None = None,
        discriminator: nn.Module | None = None,
        classifier: nn.Module | None = None,
        adversarial: float = 1.0,
        task: float = 1.0,
        loss: LossName = "non_saturating",
        optimizer_c: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3),
        **kwargs: Any,
    ) -> None:
        super().__init__(source_shape, image_shape, loss, **kwargs)
        check_at_least(0, adversarial=adversarial, task=task)
        check_at_least(2, num_classes=num_classes)
        check_one_shape(self.source_shape, self.image_shape)
        self.num_classes, self.adversarial, self.task, self.optimizer_c = num_classes, adversarial, task, optimizer_c
        self.generator = generator or NoiseResNetGenerator(source_shape, image_shape, latent_dim, width, blocks)
        self.discriminator = discriminator or NoisyDiscriminator(image_shape, width)
        self.classifier = classifier or TaskNetwork(image_shape, num_classes)
        shape = self.image_shape
        check_network(self.generator, "generator", source_shape=shape, image_shape=shape)
        check_network(self.discriminator, "discriminator", image_shape=shape)
        check_network(self.classifier, "classifier", image_shape=shape, num_classes=num_classes)
        self.accuracies = nn.ModuleDict(
            {
                f"{stage}_{name}": MulticlassAccuracy(num_classes, average="micro")
                for stage in ("val", "test")
                for name in ("read_a", "read_a2b", "read_b")
            }
        )
        use_channels_last(self)

    @property
    @override
    def generators(self) -> dict[str, nn.Module]:
        return {"a2b": self.generator}

    @property
    @override
    def discriminators(self) -> list[nn.Module]:
        return [self.discriminator]

    def logits(self, images: Tensor) -> Tensor:
        """Return what the classifier makes of ``images`` ``(B, C, H, W)`` in the networks' range, ``(B, K)``."""
        found: Tensor = self.classifier(self.to_unit_range(images))
        return found

    @override
    def pairs_of(self, batch: Any, batch_idx: int = 0) -> ImagePairs:
        pairs = super().pairs_of(batch, batch_idx)
        if batch_idx == 0:  # see validation.device_reads
            check_pair_labels(pairs, self.num_classes, type(self).__name__)
        return pairs

    def labels_of(self, pairs: ImagePairs) -> Tensor:
        """Return the labels ``(B,)`` of the images of ``a``.

        Raises:
            UserError: there are none.
        """
        if pairs.labels_a is None:
            raise UserError(
                f"{type(self).__name__} needs batches of images and labels of both domains, and learns from those of a:"
                " choose another --data, such as PairDataModule"
            )
        return pairs.labels_a

    def discriminator_losses(self, pairs: ImagePairs, fake: Tensor) -> dict[str, Tensor]:
        """Return what the discriminator minimises as ``d_loss``, and how well it tells real from translated."""
        real_outputs, fake_outputs = self.discriminator(pairs.b), self.discriminator(fake)
        loss = self.loss.discriminator(real_outputs, fake_outputs)
        return {"d_loss": loss, **judgements(self.loss, real_outputs, fake_outputs)}

    def classifier_loss(self, pairs: ImagePairs, fake: Tensor) -> Tensor:
        """Return the cross-entropy of the images of ``a`` and that of their translations ``fake``, summed, in nats."""
        # Read as one batch: where the classifier has batch norm, its running statistics are those of both.
        logits = self.logits(torch.cat([pairs.a, fake]))
        return 2 * F.cross_entropy(logits, self.labels_of(pairs).repeat(2))

    def generator_losses(self, pairs: ImagePairs, fake: Tensor) -> dict[str, Tensor]:
        """Return what the generator minimises for translations ``fake`` as ``g_loss``, and its terms."""
        task = F.cross_entropy(self.logits(fake), self.labels_of(pairs))
        losses = {"g_loss": self.task * task, "task_loss": task}
        if self.adversarial > 0:
            fooled = self.loss.generator(self.discriminator(fake))
            losses |= {"g_loss": losses["g_loss"] + self.adversarial * fooled, "adversarial_loss": fooled}
        return losses

    @override
    def take_turns(self, pairs: ImagePairs) -> dict[str, Tensor]:
        fake = self.generator(pairs.a)
        metrics: dict[str, Tensor] = {}
        if self.adversarial > 0:
            metrics = self.discriminator_losses(pairs, fake.detach())
            self.descend(metrics["d_loss"], self.discriminator, self.optimizer_at(0))
        metrics["c_loss"] = self.classifier_loss(pairs, fake.detach())
        self.descend(metrics["c_loss"], self.classifier, self.optimizer_at(2))
        losses = self.generator_losses(pairs, fake)
        self.descend(losses["g_loss"], self.generator, self.optimizer_at(1))
        return metrics | losses

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return the discriminator's, the generator's and the classifier's optimizer, with their schedules."""
        sides: Any = super().configure_optimizers()
        return [*sides, with_schedule(self.optimizer_c(self.classifier.parameters()), self.scheduler, "step")]

    @override
    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "val")

    @override
    def test_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "test")

    def _evaluate(self, batch: Any, batch_idx: int, stage: str) -> None:
        pairs = self.pairs_of(batch, batch_idx)
        labels = self.labels_of(pairs)
        read = [("read_a", pairs.a, labels), ("read_a2b", self.generator(pairs.a), labels)]
        if pairs.labels_b is not None:
            read.append(("read_b", pairs.b, pairs.labels_b))
        for name, images, wanted in read:
            accuracy = self.accuracies[f"{stage}_{name}"]
            assert isinstance(accuracy, MulticlassAccuracy)
            accuracy.update(self.logits(images), wanted)
            self.log(f"{stage}/{name}", accuracy, batch_size=len(images), prog_bar=True)
        judged = realness(self.loss, self.discriminator(pairs.b))
        self.log(f"{stage}/d_real", judged, batch_size=len(pairs.b), sync_dist=True)
