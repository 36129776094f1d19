"""A feed-forward network whose layers are pretrained as restricted Boltzmann machines."""

import itertools
from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from pytorch_lightning.cli import OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler
from typing_extensions import override

from dlmodules.classifiers.classifier import Classifier
from dlmodules.layers.initialization import glorot_uniform_
from dlmodules.layers.rbm import BinaryRBM
from dlmodules.protocols import Batch
from dlmodules.training.batches import inputs_of
from dlmodules.training.greedy import GreedyStack
from dlmodules.training.manual import ManualOptimizationModule
from dlmodules.training.step_logging import log_losses
from dlmodules.validation.arguments import check_widths
from dlmodules.validation.images import check_image_batch

PRETRAINING, FINE_TUNING = range(2)  # their optimizers


class DBNNetwork(nn.Module):
    """A stack of machines used as sigmoid layers from the bottom up, and a linear layer to the logits."""

    def __init__(self, stack: GreedyStack, features: int, num_classes: int) -> None:
        super().__init__()
        self.stack = stack
        self.head = nn.Linear(features, num_classes)

    def hidden(self, x: Tensor) -> Tensor:
        """Map ``(B, ...)`` to the units of the top layer, in [0, 1]."""
        units: Tensor = self.stack(x.flatten(1))
        return units

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, ...)`` to logits ``(B, num_classes)``."""
        logits: Tensor = self.head(self.hidden(x))
        return logits


class DBNClassifier(Classifier, ManualOptimizationModule):
    """Layers of 500, 500 and 2,000 units classify a digit, each pretrained as an RBM: 1,666,794 parameters.

    First each layer learns for ``pretraining_epochs`` by contrastive divergence, from the bottom up, without labels;
    then all of them by cross-entropy. With 0 it is the same network without pretraining, for comparison. The two parts
    have optimizers of their own: the moments of the much larger gradients of contrastive divergence would leave an
    adaptive optimizer all but standing in the fine-tuning.
    Also logged: ``train/divergence`` in the pretraining, while ``val/accuracy`` is at chance level.

    Paper: Hinton, Osindero & Teh 2006, A Fast Learning Algorithm for Deep Belief Nets; Bengio, Lamblin, Popovici &
        Larochelle 2007, Greedy Layer-Wise Training of Deep Networks.
    Books: vasilev 3.5.

    Args:
        input_shape: shape of one input in [0, 1], such as channels, height and width.
        num_classes: number of classes.
        hidden_dims: units of each layer, from the bottom up.
        pretraining_epochs: epochs of pretraining for each layer; 0 for none.
        k: steps of Gibbs sampling for an update of the pretraining, 1 or more.
        pretraining_optimizer: makes the optimizer of the machines.
        optimizer: makes the optimizer of the fine-tuning.
        scheduler: makes a schedule of the fine-tuning's learning rate, stepped after each of its epochs; None keeps
            the rate.
        **kwargs: arguments of ``Classifier``.
    """

    network: DBNNetwork

    def __init__(
        self,
        input_shape: Sequence[int] = (1, 28, 28),
        num_classes: int = 10,
        hidden_dims: Sequence[int] = (500, 500, 2000),
        pretraining_epochs: int = 5,
        k: int = 1,
        pretraining_optimizer: OptimizerCallable = lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3),
        **kwargs: Any,
    ) -> None:
        check_widths("hidden_dims", hidden_dims)
        dims = [prod(input_shape), *hidden_dims]
        machines = [BinaryRBM(visible, hidden) for visible, hidden in itertools.pairwise(dims)]
        network = DBNNetwork(GreedyStack(machines, pretraining_epochs, k), dims[-1], num_classes)
        # A machine begins with small weights; without pretraining they would leave deep sigmoid layers at a standstill.
        glorot_uniform_(network.head if pretraining_epochs else network)
        super().__init__(
            network=network, num_classes=num_classes, optimizer=optimizer, input_shape=input_shape, **kwargs
        )
        self.pretraining_optimizer = pretraining_optimizer

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> None:  # type: ignore[override]  # it makes its own updates
        """Do a step of contrastive divergence in the layer that learns, or of gradient descent in all of them."""
        stack = self.network.stack
        index = stack.learning(self.current_epoch)
        if index is None:
            loss = super().training_step(batch, batch_idx)
            with self.one_global_step():
                self.descend(loss, self.network, self.optimizer_at(FINE_TUNING))
            return
        x = inputs_of(batch)
        check_image_batch(x, self.input_shape or (), type(self).__name__, batch_idx == 0, "input_shape")
        loss = stack.contrastive_divergence(torch.bernoulli(x.flatten(1)), index, first=batch_idx == 0)
        log_losses(self, {"train/divergence": loss})
        with self.one_global_step():
            self.descend(loss, stack.layers[index], self.optimizer_at(PRETRAINING))

    @override
    def on_train_epoch_end(self) -> None:
        schedule = self.lr_schedulers()
        if schedule is not None and self.network.stack.learning(self.current_epoch) is None:
            assert isinstance(schedule, LRScheduler)
            schedule.step()

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Make the optimizer of the machines and that of the fine-tuning, with its schedule."""
        # The biases of the way down lead to no logit.
        way_up = [p for name, p in self.network.named_parameters() if not name.endswith("visible_bias")]
        optimizers = [self.pretraining_optimizer(self.network.stack.parameters()), self.optimizer(way_up)]
        return optimizers, [] if self.scheduler is None else [self.scheduler(optimizers[FINE_TUNING])]
