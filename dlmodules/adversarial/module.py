"""The base of all GANs: the updates of discriminator and generator in a training step."""

from collections.abc import Iterator
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.adversarial.turns import make_turns
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.training.batches import inputs_of
from dlmodules.training.manual import ManualOptimizationModule
from dlmodules.validation.arguments import check_at_least_one

UpdateOrder = Literal["alternating", "simultaneous", "separate"]


class Latents(NamedTuple):
    """What a generator maps to images: its arguments, in this order, without those that are None.

    Args:
        noise: ``(B, latent_dim)``.
        labels: ``(B,)`` int64, the classes of the images; None for a generator that is not conditional.
        codes: ``(B, K)``; None for a generator without codes.
    """

    noise: Tensor
    labels: Tensor | None = None
    codes: Tensor | None = None


class Images(NamedTuple):
    """Real or fake images, and what they are of.

    Args:
        x: ``(B, C, H, W)`` in the generator's range.
        labels: ``(B,)`` int64, the data's or the generator's; None where there are none.
        codes: ``(B, K)``, the generator's; None where there are none.
    """

    x: Tensor
    labels: Tensor | None = None
    codes: Tensor | None = None


class DiscriminatorOutput(NamedTuple):
    """The outputs of a discriminator for some images.

    Args:
        images: its input.
        source: ``(B,)``, real against fake: larger for what it takes for real.
        labels: logits ``(B, num_classes)`` of the classes; None without such an output.
        codes: ``(B, K)``, the predicted codes; None without such an output.
    """

    images: Images
    source: Tensor
    labels: Tensor | None = None
    codes: Tensor | None = None


class Update(NamedTuple):
    """What one update of a network minimises, and what is logged of it by name."""

    loss: Tensor
    logged: dict[str, Tensor]


class AdversarialModule(ManualOptimizationModule):
    """A generator and a discriminator that train against each other.

    A child sets ``generator`` and ``discriminator`` and defines ``sample_latents``, ``sample``,
    ``discriminator_losses``, ``generator_losses`` and ``configure_optimizers`` (the discriminator's first). One
    ``training_step`` is one turn of the discriminator, one update of the generator in every ``n_critic`` of them, and
    one ``global_step``.

    Args:
        n_critic: turns of the discriminator for each update of the generator.
        update: ``alternating`` samples new noise for the generator, which then meets the updated
            discriminator; ``simultaneous`` generates one batch of fakes and takes both gradients before
            either network changes; ``separate`` alternates, and updates the discriminator on the real images and
            then once more on the fakes, where ``discriminator_updates`` of a child knows how.
        clip_grad_norm: largest norm of each network's gradient; None does not clip.
    """

    generator: nn.Module
    discriminator: nn.Module

    def __init__(
        self, n_critic: int = 1, update: UpdateOrder = "alternating", clip_grad_norm: float | None = None
    ) -> None:
        super().__init__(clip_grad_norm)
        check_at_least_one(n_critic=n_critic)
        if update not in get_args(UpdateOrder):
            raise UserError(f"update is {update!r}; choose one of {', '.join(get_args(UpdateOrder))}")
        self.n_critic = n_critic
        self.update = update

    def sample_latents(self, n: int, generator: torch.Generator | None = None) -> Latents:
        """Return latents of ``n`` images, on the module's device."""
        raise NotImplementedError

    def generate(self, latents: Latents) -> Tensor:
        """Return the images ``(B, C, H, W)`` that the generator maps ``latents`` to, in its own range."""
        images: Tensor = self.generator(*(part for part in latents if part is not None))
        return images

    def sample(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Generate ``n`` images ``(n, C, H, W)`` in [0, 1], of classes ``labels`` ``(n,)`` where it is conditional."""
        raise NotImplementedError

    def discriminate(self, images: Images) -> DiscriminatorOutput:
        """Return the discriminator's outputs for ``images``."""
        return DiscriminatorOutput(images, self.discriminator(images.x))

    def discriminator_losses(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> dict[str, Tensor]:
        """Return what the discriminator minimises as ``d_loss``, and what else is logged, by name."""
        raise NotImplementedError

    def generator_losses(self, fake: DiscriminatorOutput) -> dict[str, Tensor]:
        """Return what the generator minimises as ``g_loss``, and what else is logged, by name."""
        raise NotImplementedError

    def discriminator_updates(self, real: Images, fake: Images) -> Iterator[Update]:
        """Yield the updates of one turn of the discriminator; each is performed before the next is requested."""
        losses = self.discriminator_losses(self.discriminate(real), self.discriminate(fake))
        yield Update(losses["d_loss"], losses)

    def after_discriminator_turn(self) -> None:
        """Do what follows the last update of the discriminator's turn, such as clipping its weights."""

    def prepare_real(self, batch: Batch, batch_idx: int = 0) -> Images:
        """Return the real images of a batch, in the generator's range."""
        return Images(inputs_of(batch))

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> None:
        real = self.prepare_real(batch, batch_idx)
        make_turns(self, lambda: self.take_turns(real))

    def take_turns(self, real: Images) -> dict[str, Tensor]:
        """Make the updates of one training step, and return what is logged of them; losses end in ``_loss``."""
        generator_turn = (self.global_step + 1) % self.n_critic == 0
        if self.update == "simultaneous":
            return self._simultaneous_step(real, generator_turn)
        metrics = self._discriminator_step(real)
        if generator_turn:
            metrics |= self._generator_step(len(real.x))
        return metrics

    def fake_images(self, n: int) -> Images:
        """Generate ``n`` images, and keep labels and codes with them."""
        latents = self.sample_latents(n)
        return Images(self.generate(latents), latents.labels, latents.codes)

    def _discriminator_step(self, real: Images) -> dict[str, Tensor]:
        with torch.no_grad():
            fake = self.fake_images(len(real.x))
        metrics: dict[str, Tensor] = {}
        for update in self.discriminator_updates(real, fake):
            self.descend(update.loss, self.discriminator, self.optimizer_at(0))
            metrics |= update.logged
        self.after_discriminator_turn()
        return metrics

    def _generator_step(self, batch_size: int) -> dict[str, Tensor]:
        losses = self.generator_losses(self.discriminate(self.fake_images(batch_size)))
        self.descend(losses["g_loss"], self.generator, self.optimizer_at(1))
        return losses

    def _simultaneous_step(self, real: Images, generator_turn: bool) -> dict[str, Tensor]:
        fake = self.discriminate(self.fake_images(len(real.x)))
        metrics = self.discriminator_losses(self.discriminate(real), fake)
        self.backward_into(metrics["d_loss"], self.discriminator, self.optimizer_at(0), retain_graph=generator_turn)
        if generator_turn:
            metrics = metrics | self.generator_losses(fake)
            self.backward_into(metrics["g_loss"], self.generator, self.optimizer_at(1))
            self.optimizer_at(1).step()
        self.optimizer_at(0).step()
        self.after_discriminator_turn()
        return metrics

    @override
    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return as many new images as the batch has."""
        return self.sample(len(inputs_of(batch)))
