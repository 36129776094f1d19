"""What all adversarial systems share: whose turn it is, which gradients flow, what counts as a step."""

from collections.abc import Iterator
from typing import Literal, NamedTuple, get_args

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.training.clipping import check_max_norm, clip_gradients
from dlmodules.training.finite import require_finite
from dlmodules.training.one_step import one_global_step
from dlmodules.training.step_logging import is_logging_step
from dlmodules.validation.arguments import check_at_least_one

UpdateOrder = Literal["alternating", "simultaneous", "separate"]


class Latents(NamedTuple):
    """What a generator makes images from.

    Args:
        noise: ``(B, latent_dim)``.
        labels: ``(B,)`` int64, the classes that are asked for; None where the generator is not told any.
        codes: ``(B, K)``, what it is asked for besides; None where it is not.
    """

    noise: Tensor
    labels: Tensor | None = None
    codes: Tensor | None = None


class Images(NamedTuple):
    """Real or made images, and what goes with them.

    Args:
        x: ``(B, C, H, W)`` in the generator's range.
        labels: ``(B,)`` int64, or None.
        codes: ``(B, K)``, or None.
    """

    x: Tensor
    labels: Tensor | None = None
    codes: Tensor | None = None


class DiscriminatorOutput(NamedTuple):
    """Images and what the discriminator says of them.

    Args:
        images: which it saw.
        source: ``(B,)``, larger for what it takes for real.
        labels: logits ``(B, num_classes)`` of the classes it sees; None where it is not asked.
        codes: what it says of the codes; None where it is not asked.
    """

    images: Images
    source: Tensor
    labels: Tensor | None = None
    codes: Tensor | None = None


class Update(NamedTuple):
    """What one update of a network minimises, and what is logged of it by name."""

    loss: Tensor
    logged: dict[str, Tensor]


class AdversarialModule(LightningModule):
    """A generator and a discriminator that train against each other.

    A child sets ``generator`` and ``discriminator`` and defines ``sample_latents``, ``discriminator_losses``,
    ``generator_losses`` and ``configure_optimizers`` (the discriminator's first). One ``training_step`` is
    one turn of the discriminator, one update of the generator in every ``n_critic`` of them, and one ``global_step``.

    Each loss is differentiated for its own network alone, so that no gradient is left in the other, and
    gradients are averaged over processes here, since neither backward pass meets all parameters of the
    module, which ``DistributedDataParallel`` would wait for.

    Args:
        n_critic: turns of the discriminator for each update of the generator.
        update: ``alternating`` draws fresh noise for the generator, which then meets the updated
            discriminator; ``simultaneous`` makes one batch of fakes and takes both gradients before
            either network changes; ``separate`` alternates, and updates the discriminator on the real images and
            then once more on the fakes, where ``discriminator_updates`` of a child knows how.
        clip_grad_norm: largest norm of each network's gradient; None does not clip.
    """

    automatic_optimization = False
    generator: nn.Module
    discriminator: nn.Module

    def __init__(
        self, n_critic: int = 1, update: UpdateOrder = "alternating", clip_grad_norm: float | None = None
    ) -> None:
        super().__init__()
        check_at_least_one(n_critic=n_critic)
        if update not in get_args(UpdateOrder):
            raise UserError(f"update is {update!r}; choose one of {', '.join(get_args(UpdateOrder))}")
        check_max_norm(clip_grad_norm, "clip_grad_norm")
        self.n_critic = n_critic
        self.update = update
        self.clip_grad_norm = clip_grad_norm

    def sample_latents(self, n: int, generator: torch.Generator | None = None) -> Latents:
        """Return what ``n`` images are made from, on the module's device."""
        raise NotImplementedError

    def generate(self, latents: Latents) -> Tensor:
        """Return the images ``(B, C, H, W)`` that the generator makes from ``latents``, in its own range."""
        images: Tensor = self.generator(latents.noise)
        return images

    def discriminate(self, images: Images) -> DiscriminatorOutput:
        """Let the discriminator look at ``images``."""
        return DiscriminatorOutput(images, self.discriminator(images.x))

    def discriminator_losses(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> dict[str, Tensor]:
        """Return what the discriminator minimises as ``d_loss``, and what else is logged, by name."""
        raise NotImplementedError

    def generator_losses(self, fake: DiscriminatorOutput) -> dict[str, Tensor]:
        """Return what the generator minimises as ``g_loss``, and what else is logged, by name."""
        raise NotImplementedError

    def discriminator_updates(self, real: Images, fake: Images) -> Iterator[Update]:
        """Yield each update that the discriminator makes in a turn; it moves before the next is asked for."""
        losses = self.discriminator_losses(self.discriminate(real), self.discriminate(fake))
        yield Update(losses["d_loss"], losses)

    def after_discriminator_turn(self) -> None:
        """Follow the discriminator's turn, all of its updates, such as by clipping its weights."""

    def prepare_real(self, batch: Batch, batch_idx: int = 0) -> Images:
        """Return the real images of a batch as the discriminator takes them."""
        return Images(batch[0])

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Give the discriminator its turn, and every ``n_critic`` steps the generator."""
        real = self.prepare_real(batch, batch_idx)
        is_logging = is_logging_step(self)  # before the step is counted
        with one_global_step(self):
            metrics = self.take_turns(real)
        losses = {f"train/{name}": value for name, value in metrics.items() if name.endswith("_loss")}
        require_finite(losses, self.global_step - 1)
        if is_logging:
            self.log_dict({f"train/{name}": value.detach() for name, value in metrics.items()}, prog_bar=True)

    def take_turns(self, real: Images) -> dict[str, Tensor]:
        """Make the updates of one training step, and return what is logged of them; losses end in ``_loss``."""
        generator_turn = (self.global_step + 1) % self.n_critic == 0
        if self.update == "simultaneous":
            return self._simultaneous_step(real, generator_turn)
        metrics = self._discriminator_step(real)
        if generator_turn:
            metrics |= self._generator_step(len(real.x))
        return metrics

    def _made(self, n: int) -> Images:
        latents = self.sample_latents(n)
        return Images(self.generate(latents), latents.labels, latents.codes)

    def _discriminator_step(self, real: Images) -> dict[str, Tensor]:
        with torch.no_grad():
            fake = self._made(len(real.x))
        metrics: dict[str, Tensor] = {}
        for update in self.discriminator_updates(real, fake):
            self._descend(update.loss, self.discriminator, self._optimizer(0))
            metrics |= update.logged
        self.after_discriminator_turn()
        return metrics

    def _generator_step(self, batch_size: int) -> dict[str, Tensor]:
        losses = self.generator_losses(self.discriminate(self._made(batch_size)))
        self._descend(losses["g_loss"], self.generator, self._optimizer(1))
        return losses

    def _simultaneous_step(self, real: Images, generator_turn: bool) -> dict[str, Tensor]:
        fake = self.discriminate(self._made(len(real.x)))
        metrics = self.discriminator_losses(self.discriminate(real), fake)
        self._backward(metrics["d_loss"], self.discriminator, self._optimizer(0), retain_graph=generator_turn)
        if generator_turn:
            metrics = metrics | self.generator_losses(fake)
            self._backward(metrics["g_loss"], self.generator, self._optimizer(1))
            self._optimizer(1).step()
        self._optimizer(0).step()
        self.after_discriminator_turn()
        return metrics

    def _descend(self, loss: Tensor, network: nn.Module, optimizer: LightningOptimizer) -> None:
        self._backward(loss, network, optimizer)
        optimizer.step()

    def _backward(
        self, loss: Tensor, network: nn.Module, optimizer: LightningOptimizer, retain_graph: bool = False
    ) -> None:
        """Give ``network``, and nothing else, the gradient of ``loss``, averaged over processes and clipped."""
        parameters = [p for p in network.parameters() if p.requires_grad]
        optimizer.zero_grad()
        wrapper = self._distributed()
        if wrapper is None:
            self.manual_backward(loss, inputs=parameters, retain_graph=retain_graph)
        else:
            with wrapper.no_sync():
                self.manual_backward(loss, inputs=parameters, retain_graph=retain_graph)
            for parameter in parameters:
                if parameter.grad is not None:
                    torch.distributed.all_reduce(parameter.grad)
                    parameter.grad /= self.trainer.world_size
        if self.clip_grad_norm is not None:
            clip_gradients(self, parameters, self.clip_grad_norm)

    def _distributed(self) -> DistributedDataParallel | None:
        wrapper = self.trainer.model
        return wrapper if isinstance(wrapper, DistributedDataParallel) else None

    def _optimizer(self, index: int) -> LightningOptimizer:
        optimizers = self.optimizers()
        assert isinstance(optimizers, list)
        optimizer = optimizers[index]
        assert isinstance(optimizer, LightningOptimizer)
        return optimizer
