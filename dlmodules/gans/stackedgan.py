"""The stacked GAN: one generator maps a class to features, another maps features to images."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor
from torch.nn import functional as F
from torchmetrics.classification import MulticlassAccuracy
from typing_extensions import override

from dlmodules.adversarial.losses import LOSSES, discriminator_accuracy
from dlmodules.adversarial.module import AdversarialModule, DiscriminatorOutput, Images, Latents
from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.errors import UserError
from dlmodules.gans.stackedgan_networks import LevelOutput, StackedDiscriminator, StackedEncoder, StackedGenerator
from dlmodules.gans.traversals import check_traversal
from dlmodules.layers.channels_last import use_channels_last
from dlmodules.protocols import Batch
from dlmodules.sampling.devices import sampling_device
from dlmodules.sampling.examples import example_inputs, example_labels
from dlmodules.sampling.labels import sample_labels
from dlmodules.validation.arguments import check_at_least, check_at_least_one, check_positive
from dlmodules.validation.images import check_codes, check_images, check_unit_range
from dlmodules.validation.labels import check_labels, with_labels
from dlmodules.validation.networks import check_network

Stage = Literal["encoder", "independent", "joint"]

ENCODER, DISCRIMINATOR, GENERATOR = range(3)  # their optimizers


class StackedGAN(AdversarialModule):
    """Two stacked GANs, class to features and features to image, each with a code, that invert a classifier.

    In the first ``encoder_epochs`` the encoder learns to classify, and nothing else learns. Then each level learns by
    itself: level 1 generates features of real labels, level 0 generates images of real features. With
    ``independent_epochs`` the levels go on together after that many epochs: level 0 is then given the features of level
    1, and its gradient reaches level 1. A generator minimises ``-log D``, the distance of what the encoder recovers
    from its output from what it was given, and that of the code that the discriminator recovers from its own.
    ``sample`` takes codes besides labels, and ``traverse`` changes one of them from image to image.

    Logged every few steps: ``train/encoder_loss`` and ``train/encoder_accuracy`` in the first stage; then
    ``train/d_loss`` and ``train/g_loss``, sums over ``train/d0_loss``, ``train/d1_loss``, ``train/g0_loss`` and
    ``train/g1_loss``, whose parts are ``..._entropy_loss`` of the codes and ``..._condition_loss`` of what was given;
    ``train/d_accuracy``, ``train/d_real`` and ``train/d_fake`` of images, ``train/d1_accuracy`` of features;
    ``val/encoder_accuracy`` and ``val/d_real``.

    Paper: Huang, Li, Poursaeed, Hopcroft & Belongie 2017, Stacked Generative Adversarial Networks, arXiv:1612.04357.
    Books: atienza 6.2.1, atienza 6.2.E.

    Args:
        image_shape: channels, height and width of the images, multiples of 4.
        latent_dim: size of each of the two codes.
        num_classes: number of classes.
        feature_dim: number of features between the levels.
        code_std: standard deviation of the normal distribution of the codes.
        width: multiplies filters and units of generator and discriminator; 0.25 trains on a CPU.
        encoder: image to features to logits; None builds ``StackedEncoder`` (843,210 parameters).
        generator: None builds ``StackedGenerator`` (3,022,849 parameters in two levels, running statistics included).
        discriminator: None builds ``StackedDiscriminator`` (1,430,118 parameters in two levels).
        encoder_epochs: epochs that the encoder learns for, first; 0 where it has learned already.
        independent_epochs: epochs after those in which each level learns by itself; None for all the rest, the book's.
        adversarial_weight: of ``-log D`` in the generators' losses.
        condition_weight: of the distance from what a generator was given: the mean squared error of the features,
            the cross-entropy of the class.
        entropy_weights: of the mean squared error of the codes, in the losses of level 0 and of level 1.
        optimizer_e: makes the encoder's optimizer.
        optimizer_d: makes the optimizer of both discriminators.
        optimizer_g: makes the optimizer of both generators.
        clip_grad_norm: largest norm of the gradient of each network that is updated; None does not clip.
    """

    # The codes take longest to be read: with the weight of the book they hide for minutes whether anything is learned.
    small_arguments: ClassVar[Mapping[str, Any]] = {"width": 0.25, "entropy_weights": (1.0, 1.0)}
    conditional = True
    traversals = ("z0", "z1")
    encoder: StackedEncoder
    generator: StackedGenerator
    discriminator: StackedDiscriminator

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 50,
        num_classes: int = 10,
        feature_dim: int = 256,
        code_std: float = 0.5,
        width: float = 1.0,
        encoder: StackedEncoder | None = None,
        generator: StackedGenerator | None = None,
        discriminator: StackedDiscriminator | None = None,
        encoder_epochs: int = 2,
        independent_epochs: int | None = None,
        adversarial_weight: float = 1.0,
        condition_weight: float = 1.0,
        entropy_weights: Sequence[float] = (10.0, 1.0),
        optimizer_e: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3, eps=1e-7),
        optimizer_d: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=2e-4, alpha=0.9, eps=1e-7),
        optimizer_g: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=1e-4, alpha=0.9, eps=1e-7),
        clip_grad_norm: float | None = None,
    ) -> None:
        super().__init__(clip_grad_norm=clip_grad_norm)
        save_portable_hyperparameters(self)
        check_at_least_one(latent_dim=latent_dim, num_classes=num_classes, feature_dim=feature_dim)
        check_positive(code_std=code_std)
        check_at_least(0, encoder_epochs=encoder_epochs, independent_epochs=independent_epochs)
        weights = (adversarial_weight, condition_weight, *entropy_weights)
        if len(weights) != 4 or min(weights) < 0:
            raise UserError(
                "the weights of the losses must be 0 or more, and entropy_weights are two, of levels 0 and 1"
            )
        self.image_shape = tuple(image_shape)
        self.latent_dim, self.num_classes, self.code_std = latent_dim, num_classes, code_std
        self.encoder_epochs, self.independent_epochs = encoder_epochs, independent_epochs
        self.adversarial_weight, self.condition_weight = adversarial_weight, condition_weight
        self.entropy_weights = tuple(entropy_weights)
        self.generator = generator or StackedGenerator(image_shape, latent_dim, num_classes, feature_dim, width)
        self.discriminator = discriminator or StackedDiscriminator(image_shape, latent_dim, feature_dim, width)
        self.encoder = encoder or StackedEncoder(image_shape, num_classes, feature_dim)
        sizes: dict[str, int | Sequence[int]] = {
            "image_shape": self.image_shape,
            "num_classes": num_classes,
            "feature_dim": feature_dim,
        }
        check_network(self.encoder, "encoder", **sizes)
        check_network(self.generator, "generator", **sizes, latent_dim=latent_dim)
        check_network(self.discriminator, "discriminator", **sizes, latent_dim=latent_dim)
        self.loss = LOSSES["non_saturating"]
        self.optimizer_e, self.optimizer_d, self.optimizer_g = optimizer_e, optimizer_d, optimizer_g
        self.val_accuracy = MulticlassAccuracy(num_classes, average="micro")
        self.test_accuracy = MulticlassAccuracy(num_classes, average="micro")
        use_channels_last(self)

    @property
    def output_range(self) -> tuple[float, float]:
        """Lowest and highest value of the images: the encoder takes real ones as the data has them."""
        return 0.0, 1.0

    @property
    def stage(self) -> Stage:
        """What learns in the present epoch."""
        if self.current_epoch < self.encoder_epochs:
            return "encoder"
        first_joint = None if self.independent_epochs is None else self.encoder_epochs + self.independent_epochs
        return "independent" if first_joint is None or self.current_epoch < first_joint else "joint"

    @override
    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Return the optimizers of the encoder, of the discriminators and of the generators."""
        return [
            self.optimizer_e(self.encoder.parameters()),
            self.optimizer_d(self.discriminator.parameters()),
            self.optimizer_g(self.generator.parameters()),
        ]

    @override
    def take_turns(self, real: Images) -> dict[str, Tensor]:
        """Update the encoder in its epochs; after them the discriminators, then the generators."""
        assert real.labels is not None
        if self.stage == "encoder":
            return self._encoder_turn(real.x, real.labels)
        self.optimizer_at(ENCODER).zero_grad()  # what its last epoch has left
        with torch.no_grad():
            features = self.encoder.level0(real.x)
        joint = self.stage == "joint"
        metrics = self._discriminators_turn(real.x, features, real.labels, joint)
        return metrics | self._generators_turn(features, real.labels, joint)

    def _encoder_turn(self, x: Tensor, labels: Tensor) -> dict[str, Tensor]:
        logits = self.encoder(x)[1]
        loss = F.cross_entropy(logits, labels)
        self.descend(loss, self.encoder, self.optimizer_at(ENCODER))
        accuracy = (logits.detach().argmax(dim=1) == labels).float().mean()
        return {"encoder_loss": loss, "encoder_accuracy": accuracy}

    def _discriminators_turn(self, x: Tensor, features: Tensor, labels: Tensor, joint: bool) -> dict[str, Tensor]:
        z0, z1 = self.sample_code(len(x)), self.sample_code(len(x))
        with torch.no_grad():
            fake_features = self.generator.level1(labels, z1)
            fake_images = self.generator.level0(fake_features if joint else features, z0)
        d1, d0 = self.discriminator.level1, self.discriminator.level0
        real1, fake1 = d1(features), d1(fake_features)
        level1 = self.discriminator_level(1, real1, fake1, z1)
        self.descend(level1["loss"], d1, self.optimizer_at(DISCRIMINATOR))
        real0, fake0 = d0(x), d0(fake_images)
        level0 = self.discriminator_level(0, real0, fake0, z0)
        self.descend(level0["loss"], d0, self.optimizer_at(DISCRIMINATOR))
        return _named("d", level0, level1) | {
            "d_accuracy": discriminator_accuracy(real0.source.detach(), fake0.source.detach(), 0.0),
            "d1_accuracy": discriminator_accuracy(real1.source.detach(), fake1.source.detach(), 0.0),
            "d_real": torch.sigmoid(real0.source.detach()).mean(),
            "d_fake": torch.sigmoid(fake0.source.detach()).mean(),
        }

    def _generators_turn(self, features: Tensor, labels: Tensor, joint: bool) -> dict[str, Tensor]:
        z0, z1 = self.sample_code(len(labels)), self.sample_code(len(labels))
        fake_features = self.generator.level1(labels, z1)
        condition = F.cross_entropy(self.encoder.level1(fake_features), labels)
        level1 = self.generator_level(1, self.discriminator.level1(fake_features), z1, condition)
        if not joint:
            self.descend(level1["loss"], self.generator.level1, self.optimizer_at(GENERATOR))
        given = fake_features if joint else features
        images = self.generator.level0(given, z0)
        condition = F.mse_loss(self.encoder.level0(images), given)
        level0 = self.generator_level(0, self.discriminator.level0(images), z0, condition)
        if joint:
            self.descend(level0["loss"] + level1["loss"], self.generator, self.optimizer_at(GENERATOR))
        else:
            self.descend(level0["loss"], self.generator.level0, self.optimizer_at(GENERATOR))
        return _named("g", level0, level1)

    def discriminator_level(self, level: int, real: LevelOutput, fake: LevelOutput, z: Tensor) -> dict[str, Tensor]:
        """Return what the discriminator of ``level`` minimises as ``loss``, and its part ``entropy_loss``.

        The codes ``z`` ``(B, latent_dim)`` are those of the fakes; nothing real has one.
        """
        entropy = F.mse_loss(fake.code, z)
        loss = self.loss.discriminator(real.source, fake.source) + self.entropy_weights[level] * entropy
        return {"loss": loss, "entropy_loss": entropy}

    def generator_level(self, level: int, fake: LevelOutput, z: Tensor, condition: Tensor) -> dict[str, Tensor]:
        """Return what the generator of ``level`` minimises as ``loss``, and its parts.

        Args:
            level: 0 or 1.
            fake: the discriminator's outputs for what the generator generated.
            z: ``(B, latent_dim)``, the codes that it was given.
            condition: ``()``, how far its output is from the features or class that it was given.
        """
        entropy = F.mse_loss(fake.code, z)
        loss = self.adversarial_weight * self.loss.generator(fake.source) + self.condition_weight * condition
        return {
            "loss": loss + self.entropy_weights[level] * entropy,
            "entropy_loss": entropy,
            "condition_loss": condition,
        }

    @override
    def forward(self, z0: Tensor, labels: Tensor, z1: Tensor) -> Tensor:
        """Return the images in [0, 1] of codes ``(B, latent_dim)`` and labels ``(B,)``."""
        return self.generate(Latents(z0, self.checked(labels, z0.shape[0]), z1))

    def checked(self, labels: Tensor | None, n: int) -> Tensor:
        """Return labels ``(n,)`` on the module's device. Raises UserError where there are none, or one is no class."""
        return check_labels(labels, n, self.num_classes, type(self).__name__).to(self.device)

    def sample_code(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Return codes ``(n, latent_dim)`` of one level: normal, with mean 0 and standard deviation ``code_std``."""
        device = sampling_device(generator, self.device)
        return (self.code_std * torch.randn(n, self.latent_dim, generator=generator, device=device)).to(self.device)

    @override
    def sample_latents(self, n: int, generator: torch.Generator | None = None) -> Latents:
        """Return codes of level 0 as noise, labels, each class as probable as another, and codes of level 1."""
        z0, z1 = self.sample_code(n, generator), self.sample_code(n, generator)
        return Latents(z0, sample_labels(n, self.num_classes, generator, self.device), z1)

    @override
    def sample(
        self,
        n: int,
        labels: Tensor | None = None,
        generator: torch.Generator | None = None,
        z0: Tensor | None = None,
        z1: Tensor | None = None,
    ) -> Tensor:
        """Generate ``n`` images ``(n, C, H, W)`` in [0, 1] of classes ``(n,)`` and codes ``(n, latent_dim)``.

        What is None is drawn at random; what is given leaves the draws of the others as they are.
        """
        drawn = self.sample_latents(n, generator)
        return self.generate(
            Latents(
                drawn.noise if z0 is None else self._checked_code(z0, n, "z0"),
                drawn.labels if labels is None else self.checked(labels, n),
                drawn.codes if z1 is None else self._checked_code(z1, n, "z1"),
            )
        )

    def _checked_code(self, z: Tensor, n: int, name: str) -> Tensor:
        check_codes(z, self.latent_dim, type(self).__name__, n, name)
        return z.to(self.device)

    def traverse(
        self,
        name: str,
        values: Tensor,
        n: int,
        labels: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Generate ``n`` rows of images ``(n, K, C, H, W)`` in [0, 1]; the code ``name`` takes ``values`` ``(K,)``.

        All its numbers take the value; the other code is 0, as in the book, so that rows of one class are the same. A
        row has one class, of ``labels`` ``(n,)`` or drawn at random. Raises UserError for another name than ``z0`` or
        ``z1``.
        """
        check_traversal(name, self.traversals, type(self).__name__)
        of_rows = self.sample_latents(n, generator).labels if labels is None else self.checked(labels, n)
        assert of_rows is not None
        steps = len(values)
        zero = torch.zeros(n * steps, self.latent_dim, device=self.device)
        traversed = values.to(zero).repeat(n)[:, None].expand_as(zero)
        z0, z1 = (traversed if name == code else zero for code in self.traversals)
        images = self.generate(Latents(z0, of_rows.repeat_interleave(steps), z1))
        return images.view(n, steps, *images.shape[1:])

    @override
    def discriminate(self, images: Images) -> DiscriminatorOutput:
        """Return the encoder's class logits, and the images' discriminator's outputs for source and code."""
        features, logits = self.encoder(images.x)
        (source, code), _ = self.discriminator(images.x, features)
        return DiscriminatorOutput(images, source, logits, code)

    @override
    def prepare_real(self, batch: Batch, batch_idx: int = 0) -> Images:
        """Check the images in [0, 1] and the labels of a batch."""
        name = type(self).__name__
        x, labels = with_labels(batch, name)
        check_images(x, self.image_shape, name)
        if batch_idx == 0:  # see validation.device_reads
            check_unit_range(x, name)
            self.checked(labels, len(x))
        return Images(x, labels)

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._discriminate_held_out(batch, batch_idx, "val", self.val_accuracy)

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._discriminate_held_out(batch, batch_idx, "test", self.test_accuracy)

    def _discriminate_held_out(self, batch: Batch, batch_idx: int, stage: str, accuracy: MulticlassAccuracy) -> None:
        output = self.discriminate(self.prepare_real(batch, batch_idx))
        assert output.labels is not None
        accuracy(output.labels, output.images.labels)
        size = len(output.images.x)
        self.log(f"{stage}/encoder_accuracy", accuracy, batch_size=size, prog_bar=True)
        self.log(f"{stage}/d_real", torch.sigmoid(output.source).mean(), batch_size=size, sync_dist=True)

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up images ``(n, *image_shape)`` in [0, 1), and labels of each class in turn."""
        labels = example_labels(n, self.num_classes, self.device)
        return example_inputs(n, self.image_shape, self.device), labels


def _named(network: str, level0: dict[str, Tensor], level1: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the losses of both levels by name, such as ``d0_loss``, and their sum."""
    levels = {f"{network}{level}_{name}": value for level in (0, 1) for name, value in (level0, level1)[level].items()}
    return {f"{network}_loss": level0["loss"] + level1["loss"]} | levels
