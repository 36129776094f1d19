"""How large the gradients of two adversaries are."""

from typing import Any, ClassVar

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor
from torch.nn.utils import get_total_norm
from typing_extensions import override

from callbacks.base.trainers import logging_interval
from dlmodules.errors import UserError


class GradientNorms(Callback):
    """Logs ``grad/d`` and ``grad/g``: the Euclidean norm of the discriminator's and of the generator's gradient.

    They are measured at logging steps alone, as the optimizer gets them: after clipping, and averaged over processes.
    Of a network with several updates in a step it is their mean; of one with none the last norm is repeated. A norm
    near 0 means that the network learns nothing more, one that grows that the training is about to diverge. Works with
    any module that has ``generator`` and ``discriminator``, each with an optimizer of its own
    (``dlmodules.protocols.HasAdversaries``).
    """

    names: ClassVar[dict[str, str]] = {"discriminator": "grad/d", "generator": "grad/g"}

    def __init__(self) -> None:
        self._due = False
        self._norms: dict[str, list[Tensor]] = {}

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module without the two networks."""
        try:
            for network in self.names:
                pl_module.get_submodule(network)
        except AttributeError:
            raise UserError(
                "GradientNorms needs a module with the networks `generator` and `discriminator`;"
                f" {type(pl_module).__name__} lacks one (see dlmodules.protocols)"
            ) from None

    @override
    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        every = logging_interval(trainer)
        self._due = every > 0 and (trainer.fit_loop.total_batch_idx + 1) % every == 0
        self._norms = {}

    @override
    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        if not self._due:
            return
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        for network, name in self.names.items():
            own = {id(parameter) for parameter in pl_module.get_submodule(network).parameters()}
            if gradients and all(id(parameter) in own for parameter in parameters):
                self._norms.setdefault(name, []).append(get_total_norm(gradients).detach().float())

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        for name, norms in self._norms.items():
            pl_module.log(name, torch.stack(norms).mean())
