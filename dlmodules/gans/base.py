"""What all adversarial systems share: whose turn it is, which gradients flow, what counts as a step."""

from typing import Literal

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grad_norm_

from dlmodules.errors import UserError
from dlmodules.finite import require_finite
from dlmodules.one_step import one_global_step
from dlmodules.step_logging import is_logging_step

Batch = tuple[Tensor, Tensor]


class AdversarialModule(LightningModule):
    """A generator and a discriminator that train against each other.

    A child sets ``generator`` and ``discriminator`` and defines ``draw_noise``, ``discriminator_loss``,
    ``generator_loss`` and ``configure_optimizers`` (the discriminator's first). One ``training_step`` is
    one discriminator update, one generator update in every ``n_critic`` of them, and one ``global_step``.

    Each loss is differentiated for its own network alone, so that no gradient is left in the other, and
    gradients are averaged over processes here, since neither backward pass meets all parameters of the
    module, which ``DistributedDataParallel`` would wait for.

    Args:
        n_critic: discriminator updates for each generator update.
        update: ``alternating`` draws fresh noise for the generator, which then meets the updated
            discriminator; ``simultaneous`` makes one batch of fakes and takes both gradients before
            either network changes.
        clip_grad_norm: largest norm of each network's gradient; None does not clip.
    """

    automatic_optimization = False
    generator: nn.Module
    discriminator: nn.Module

    def __init__(
        self,
        n_critic: int = 1,
        update: Literal["alternating", "simultaneous"] = "alternating",
        clip_grad_norm: float | None = None,
    ) -> None:
        super().__init__()
        if n_critic < 1:
            raise UserError(f"n_critic is {n_critic}; it must be at least 1")
        self.n_critic = n_critic
        self.update = update
        self.clip_grad_norm = clip_grad_norm

    def draw_noise(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Return ``n`` noise vectors ``(n, latent_dim)`` on the module's device."""
        raise NotImplementedError

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Return what the discriminator minimises."""
        raise NotImplementedError

    def generator_loss(self, fake_logits: Tensor) -> Tensor:
        """Return what the generator minimises."""
        raise NotImplementedError

    def prepare_real(self, x: Tensor) -> Tensor:
        """Return the real images ``(B, C, H, W)`` as the discriminator takes them."""
        return x

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Update the discriminator, and every ``n_critic`` steps the generator."""
        real = self.prepare_real(batch[0])
        is_logging = is_logging_step(self)  # before the step is counted
        with one_global_step(self):
            generator_turn = (self.global_step + 1) % self.n_critic == 0
            if self.update == "simultaneous":
                metrics = self._simultaneous_step(real, generator_turn)
            else:
                metrics = self._discriminator_step(real)
                if generator_turn:
                    metrics |= self._generator_step(len(real))
        losses = {name: value for name, value in metrics.items() if name.endswith("_loss")}
        require_finite(losses, self.global_step - 1)
        if is_logging:
            self.log_dict({name: value.detach() for name, value in metrics.items()}, prog_bar=True)

    def _discriminator_step(self, real: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            fake = self.generator(self.draw_noise(len(real)))
        real_logits, fake_logits = self.discriminator(real), self.discriminator(fake)
        loss = self.discriminator_loss(real_logits, fake_logits)
        self._descend(loss, self.discriminator, self._optimizer(0))
        return {"train/d_loss": loss} | self.judgement(real_logits, fake_logits)

    def _generator_step(self, batch_size: int) -> dict[str, Tensor]:
        fake_logits = self.discriminator(self.generator(self.draw_noise(batch_size)))
        loss = self.generator_loss(fake_logits)
        self._descend(loss, self.generator, self._optimizer(1))
        return {"train/g_loss": loss}

    def _simultaneous_step(self, real: Tensor, generator_turn: bool) -> dict[str, Tensor]:
        fake = self.generator(self.draw_noise(len(real)))
        real_logits, fake_logits = self.discriminator(real), self.discriminator(fake)
        d_loss = self.discriminator_loss(real_logits, fake_logits)
        metrics = {"train/d_loss": d_loss} | self.judgement(real_logits, fake_logits)
        self._backward(d_loss, self.discriminator, self._optimizer(0), retain_graph=generator_turn)
        if generator_turn:
            metrics["train/g_loss"] = self.generator_loss(fake_logits)
            self._backward(metrics["train/g_loss"], self.generator, self._optimizer(1))
            self._optimizer(1).step()
        self._optimizer(0).step()
        return metrics

    def judgement(self, real_logits: Tensor, fake_logits: Tensor) -> dict[str, Tensor]:
        """Return further metrics of the discriminator; a child whose logits are no probabilities overrides it."""
        return {
            "train/d_real": torch.sigmoid(real_logits.detach()).mean(),
            "train/d_fake": torch.sigmoid(fake_logits.detach()).mean(),
        }

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
            clip_grad_norm_(parameters, self.clip_grad_norm)

    def _distributed(self) -> DistributedDataParallel | None:
        wrapper = self.trainer.model
        return wrapper if isinstance(wrapper, DistributedDataParallel) else None

    def _optimizer(self, index: int) -> LightningOptimizer:
        optimizers = self.optimizers()
        assert isinstance(optimizers, list)
        optimizer = optimizers[index]
        assert isinstance(optimizer, LightningOptimizer)
        return optimizer
