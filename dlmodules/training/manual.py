"""Manual optimization: several networks, each with its own loss and optimizer, in one training step."""

from contextlib import AbstractContextManager

import torch
from pytorch_lightning.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from dlmodules.checkpoints.own_networks import NamesOwnNetworks
from dlmodules.training.clipping import check_max_norm, clip_gradients
from dlmodules.training.direct_updates import updates_directly
from dlmodules.training.one_step import one_global_step


class ManualOptimizationModule(NamesOwnNetworks):
    """Base of the modules whose training step makes its own updates: adversaries, agents, growing networks.

    A child writes its step as losses and networks::

        def training_step(self, batch, batch_idx):
            with self.one_global_step():
                self.descend(self.critic_loss(batch), self.critic, self.optimizer(0))
                self.descend(self.actor_loss(batch), self.actor, self.optimizer(1))

    Each loss is differentiated for its own network alone, so that no gradient is left in another. Gradients are
    averaged over processes here, since no backward pass meets all parameters of the module, which
    ``DistributedDataParallel`` would wait for. However many updates a training step makes, it is one ``global_step``.

    Args:
        clip_grad_norm: largest norm of each network's gradient; None does not clip.
        argument: what a child calls this argument, for messages.

    Raises:
        UserError: ``clip_grad_norm`` is 0 or less.
    """

    automatic_optimization = False

    def __init__(self, clip_grad_norm: float | None = None, argument: str = "clip_grad_norm") -> None:
        super().__init__()
        check_max_norm(clip_grad_norm, argument)
        self.clip_grad_norm = clip_grad_norm

    def one_global_step(self) -> AbstractContextManager[None]:
        """Count what happens inside as a single ``global_step``, with any number of updates, none included."""
        return one_global_step(self)

    def optimizer_at(self, index: int) -> LightningOptimizer:
        """Return the optimizer that ``configure_optimizers`` made at place ``index``."""
        optimizers = self.optimizers()
        optimizer = optimizers[index] if isinstance(optimizers, list) else optimizers
        assert isinstance(optimizer, LightningOptimizer)
        return optimizer

    def step_schedule(self) -> None:
        """Let the schedule of each learning rate that has one go on by a step."""
        found = self.lr_schedulers()
        for schedule in found if isinstance(found, list) else [found]:
            if schedule is not None:
                schedule.step()

    def descend(self, loss: Tensor, network: nn.Module, optimizer: LightningOptimizer) -> None:
        """Make one update of ``network`` by ``optimizer``, down the gradient of ``loss``."""
        self.backward_into(loss, network, optimizer)
        if updates_directly(self):
            optimizer._on_before_step()
            optimizer.optimizer.step()
            optimizer._on_after_step()
        else:
            optimizer.step()

    def backward_into(
        self, loss: Tensor, network: nn.Module, optimizer: LightningOptimizer, retain_graph: bool = False
    ) -> None:
        """Give ``network``, and nothing else, the gradient of ``loss``, averaged over processes and clipped.

        ``descend`` does it before each update; by itself it lets two networks take their gradients before either moves.

        Args:
            loss: ``()``.
            network: whose parameters that require a gradient get one, in place of the one before.
            optimizer: of ``network``.
            retain_graph: keep the graph for a second loss that shares it.
        """
        parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = None  # as ``zero_grad`` does, without its share of an update of a small network
        wrapper = self.trainer.model
        if isinstance(wrapper, DistributedDataParallel):
            with wrapper.no_sync():
                self.manual_backward(loss, inputs=parameters, retain_graph=retain_graph)
            for parameter in parameters:
                if parameter.grad is not None:
                    torch.distributed.all_reduce(parameter.grad)
                    parameter.grad /= self.trainer.world_size
        elif updates_directly(self):
            torch.autograd.backward(loss, inputs=parameters, retain_graph=retain_graph)
        else:
            self.manual_backward(loss, inputs=parameters, retain_graph=retain_graph)
        if self.clip_grad_norm is not None:
            clip_gradients(self, parameters, self.clip_grad_norm)
