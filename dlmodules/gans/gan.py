"""The generative adversarial network, with any pair of networks and any of the adversarial losses."""

from collections.abc import Iterator, Sequence
from typing import Literal, get_args

import torch
from pytorch_lightning.cli import OptimizerCallable
from pytorch_lightning.utilities.seed import isolate_rng
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.adversarial.losses import LossName, judgements, loss_named, realness
from dlmodules.adversarial.module import AdversarialModule, DiscriminatorOutput, Images, Latents, Update, UpdateOrder
from dlmodules.adversarial.optimizers import AdversarialAdam
from dlmodules.adversarial.ranges import ScalesImages, range_of
from dlmodules.adversarial.terms import LossTerm, R1Term, add_losses
from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.errors import UserError
from dlmodules.gans.dense import DenseDiscriminator, DenseGenerator
from dlmodules.layers.channels_last import use_channels_last
from dlmodules.protocols import Batch
from dlmodules.sampling.devices import sampling_device
from dlmodules.sampling.examples import example_inputs, example_labels
from dlmodules.training.batches import inputs_of
from dlmodules.training.step_logging import is_logging_step
from dlmodules.validation.arguments import check_at_least, check_at_least_one
from dlmodules.validation.first_batch import warn_of_range
from dlmodules.validation.images import check_image_shape, check_images, check_unit_range
from dlmodules.validation.networks import check_network

Noise = Literal["uniform", "normal"]


class GAN(ScalesImages, AdversarialModule):
    """A generator learns to generate images that a discriminator classifies as real.

    The default networks are dense, as the first were; ``DCGAN`` has convolutional ones. Variants give other networks,
    add terms to ``loss_terms``, or override ``discriminator_loss``, ``generator_loss``, ``sample_latents``,
    ``discriminate`` or the two methods that sum up what is minimised, ``discriminator_losses`` and
    ``generator_losses``.

    Logged every few steps: ``train/d_loss`` (0.693 for a cross-entropy discriminator that outputs 0.5),
    ``train/g_loss``, ``train/d_accuracy`` where the loss knows right from wrong, ``train/d_real`` and ``train/d_fake``
    (the mean probability given to real and fake images, or the mean output of a loss without probabilities),
    ``train/wasserstein``, the difference of the latter, with the loss of that name, and ``train/r1_loss`` where it is
    used; ``val/d_real`` on images that the discriminator never trained on. What is logged of a turn of the
    discriminator is what it says before that turn, separate updates included.

    Paper: Goodfellow et al. 2014, Generative Adversarial Networks, arXiv:1406.2661; Mescheder, Geiger & Nowozin 2018,
        Which Training Methods for GANs do actually Converge?, arXiv:1801.04406 (R1).
    Books: vasilev 6.10, foster F4.7.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the noise vector.
        generator: maps noise to images; its attribute ``output_range`` (default [0, 1]) says in which range.
            None builds ``DenseGenerator`` (576,912 parameters).
        discriminator: maps images in the generator's range to outputs ``(B,)``. None builds ``DenseDiscriminator``
            (233,985 parameters).
        noise: ``uniform`` on [-1, 1] or ``normal``.
        loss: ``non_saturating``, ``minimax``, ``least_squares``, ``wasserstein`` or ``hinge``.
        r1: weight of half the squared slope of the discriminator at real images, the paper's gamma; 0 for none.
        optimizer_d: makes the discriminator's optimizer.
        optimizer_g: makes the generator's optimizer.
        n_critic: turns of the discriminator for each update of the generator.
        update: ``alternating``; ``simultaneous`` with one batch of fakes for both networks; or ``separate`` updates of
            the discriminator on real and on fake images, the books'.
        clip_grad_norm: largest norm of each network's gradient; None does not clip.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 64,
        generator: nn.Module | None = None,
        discriminator: nn.Module | None = None,
        noise: Noise = "normal",
        loss: LossName = "non_saturating",
        r1: float = 0.0,
        optimizer_d: OptimizerCallable = lambda p: AdversarialAdam(p, lr=2e-4, beta1=0.5, eps=1e-7),
        optimizer_g: OptimizerCallable = lambda p: AdversarialAdam(p, lr=2e-4, beta1=0.5, eps=1e-7),
        n_critic: int = 1,
        update: UpdateOrder = "separate",
        clip_grad_norm: float | None = None,
    ) -> None:
        super().__init__(n_critic, update, clip_grad_norm)
        save_portable_hyperparameters(self)
        check_image_shape(image_shape)
        check_at_least_one(latent_dim=latent_dim)
        if noise not in get_args(Noise):
            raise UserError(f"noise {noise!r} is unknown; choose one of {', '.join(get_args(Noise))}")
        check_at_least(0, r1=r1)
        for name in ("discriminator_loss", "discriminator_losses"):
            if update == "separate" and getattr(type(self), name) is not getattr(GAN, name):
                raise UserError(
                    f"separate updates do not use {type(self).__name__}.{name}: choose update='alternating'"
                )
        self.image_shape = tuple(image_shape)
        self.latent_dim = latent_dim
        self.noise = noise
        self.loss = loss_named(loss)
        self.r1 = r1
        self.generator = generator or DenseGenerator(image_shape, latent_dim)
        self.discriminator = discriminator or DenseDiscriminator(image_shape)
        check_network(self.generator, "generator", image_shape=self.image_shape, latent_dim=latent_dim)
        check_network(self.discriminator, "discriminator", image_shape=self.image_shape)
        self.optimizer_d, self.optimizer_g = optimizer_d, optimizer_g
        self._range_was_looked_at = False
        use_channels_last(self)

    @property
    @override
    def output_range(self) -> tuple[float, float]:
        """Lowest and highest value of the generator's images."""
        return range_of(self.generator)

    @property
    def twice_differentiated(self) -> tuple[str, ...]:
        """The networks whose gradient a term of the loss differentiates."""
        return ("discriminator",) if any(term.differentiates_twice for term in self.loss_terms()) else ()

    def loss_terms(self) -> list[LossTerm]:
        """Return the terms of the losses besides the adversarial one; called in each step, so that weights may change.

        A variant adds to the list::

            def loss_terms(self) -> list[LossTerm]:
                return [*super().loss_terms(), GradientPenaltyTerm(10.0, self.discriminate)]
        """
        return [R1Term(self.r1, self.discriminate)] if self.r1 > 0 else []

    def forward(self, z: Tensor) -> Tensor:
        """Return the images in [0, 1] of noise ``(B, latent_dim)``."""
        return self.to_unit_range(self.generate(Latents(z)))

    def discriminate_images(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the discriminator's outputs ``(B,)`` for images in [0, 1], larger for what it takes for real.

        A discriminator conditioned on the class needs ``labels`` ``(B,)``; others ignore them.
        """
        return self.discriminate(Images(self.from_unit_range(x), labels)).source

    def sample_noise(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Return noise ``(n, latent_dim)``: uniform on [-1, 1] or standard normal."""
        device = sampling_device(generator, self.device)
        shape = (n, self.latent_dim)
        if self.noise == "uniform":
            z = torch.rand(shape, generator=generator, device=device) * 2.0 - 1.0
        else:
            z = torch.randn(shape, generator=generator, device=device)
        return z.to(self.device)

    @override
    def sample_latents(self, n: int, generator: torch.Generator | None = None) -> Latents:
        return Latents(self.sample_noise(n, generator))

    @override
    def sample(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Generate ``n`` images ``(n, C, H, W)`` in [0, 1]. ``labels`` must be None."""
        if labels is not None:
            raise UserError(f"{type(self).__name__} is not conditional: it takes no labels")
        return self.to_unit_range(self.generate(self.sample_latents(n, generator)))

    @override
    def fake_images(self, n: int) -> Images:
        fake = super().fake_images(n)
        if not self._range_was_looked_at:
            self._range_was_looked_at = True
            warn_of_range(fake.x, self.output_range, type(self).__name__)
        return fake

    def discriminator_loss(self, real_outputs: Tensor, fake_outputs: Tensor) -> Tensor:
        """Return the adversarial loss ``()`` of the discriminator."""
        return self.loss.discriminator(real_outputs, fake_outputs)

    def generator_loss(self, fake_outputs: Tensor) -> Tensor:
        """Return the adversarial loss ``()`` of the generator."""
        return self.loss.generator(fake_outputs)

    @override
    def discriminator_losses(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> dict[str, Tensor]:
        """Return ``d_loss``, its terms and how well the discriminator tells real from fake."""
        losses = {"d_loss": self.discriminator_loss(real.source, fake.source)}
        for term in self.loss_terms():
            losses = add_losses(losses, "d_loss", term.of_real_half(real), self.loss.weight * term.weight)
            losses = add_losses(losses, "d_loss", term.of_discriminator(real, fake), term.weight)
        return losses | self.discriminator_metrics(real.source, fake.source)

    @override
    def generator_losses(self, fake: DiscriminatorOutput) -> dict[str, Tensor]:
        """Return ``g_loss`` and its terms."""
        losses = {"g_loss": self.generator_loss(fake.source)}
        for term in self.loss_terms():
            losses = add_losses(losses, "g_loss", term.of_generator(fake), term.weight)
        return losses

    @override
    def discriminator_updates(self, real: Images, fake: Images) -> Iterator[Update]:
        """Yield the one update of the discriminator, or the two where they are separate."""
        if self.update != "separate":
            yield from super().discriminator_updates(real, fake)
            return
        # Between the halves the discriminator moves: for the logs the one that judges the real images judges the fakes.
        judged = self._without_trace(fake) if is_logging_step(self) else None
        on_real = self.discriminate(real)
        losses = {"d_loss": self.loss.real(on_real.source)}
        for term in self.loss_terms():
            if type(term).of_discriminator is not LossTerm.of_discriminator:
                raise UserError(f"separate updates do not use {type(term).__name__}: choose update='alternating'")
            losses = add_losses(losses, "d_loss", term.of_real_half(on_real), term.weight)
        yield Update(losses["d_loss"], {})
        on_fake = self.discriminate(fake)
        loss = self.loss.fake(on_fake.source)
        on_fake = judged or on_fake
        # Logged is the loss of both halves, as where they are one.
        logged = losses | {"d_loss": self.loss.weight * (losses["d_loss"] + self.loss.fake(on_fake.source))}
        yield Update(loss, logged | self.discriminator_metrics(on_real.source, on_fake.source))

    def _without_trace(self, images: Images) -> DiscriminatorOutput:
        """Return the discriminator's outputs for ``images``; random numbers and running statistics stay as they are."""
        buffers = [(buffer, buffer.clone()) for buffer in self.discriminator.buffers()]
        with torch.no_grad(), isolate_rng():
            output = self.discriminate(images)
            for buffer, before in buffers:
                buffer.copy_(before)
        return output

    def discriminator_metrics(self, real_outputs: Tensor, fake_outputs: Tensor) -> dict[str, Tensor]:
        """Return how well the discriminator tells real from fake, for the logs."""
        return judgements(self.loss, real_outputs, fake_outputs)

    def realness(self, outputs: Tensor) -> Tensor:
        """Return the mean ``()`` of outputs ``(B,)``, as probabilities of being real where the loss has such."""
        return realness(self.loss, outputs)

    @override
    def prepare_real(self, batch: Batch, batch_idx: int = 0) -> Images:
        """Check the images of a batch and bring them from [0, 1] to the generator's range."""
        x = inputs_of(batch)
        name = type(self).__name__
        check_images(x, self.image_shape, name)
        if batch_idx == 0:  # see validation.device_reads
            check_unit_range(x, name)
        return Images(self.from_unit_range(x))

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Log the discriminator's output for real images of no training: far below ``train/d_real`` it overfits."""
        self._discriminate_held_out(batch, batch_idx, "val")

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._discriminate_held_out(batch, batch_idx, "test")

    def _discriminate_held_out(self, batch: Batch, batch_idx: int, stage: str) -> None:
        source = self.discriminate(self.prepare_real(batch, batch_idx)).source
        self.log(f"{stage}/d_real", self.realness(source), batch_size=len(source), sync_dist=True)

    @override
    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Return the discriminator's and the generator's optimizer."""
        return [
            self.optimizer_d(self.discriminator.parameters()),
            self.optimizer_g(self.generator.parameters()),
        ]

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up images ``(n, *image_shape)`` in [0, 1), and labels, which it does not look at."""
        return example_inputs(n, self.image_shape, self.device), example_labels(n, 1, self.device)
