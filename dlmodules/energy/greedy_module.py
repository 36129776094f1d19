"""The training logic that stacks of restricted Boltzmann machines share: greedy, layer by layer."""

from collections.abc import Sequence

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.sampling.examples import example_inputs, example_labels
from dlmodules.training.batches import inputs_of
from dlmodules.training.greedy import GreedyStack, silence, touch
from dlmodules.training.schedules import with_schedule
from dlmodules.training.step_logging import is_logging_step, log_losses
from dlmodules.validation.images import check_image_batch, check_images


class GreedyModule(LightningModule):
    """Train the layers of ``stack`` one after the other by contrastive divergence.

    A variant builds the layers, and says in ``visible`` and ``reconstruct`` how images become visible units and back.
    Logged: ``train/loss``, the difference of free energies in the layer that learns (no likelihood: it need not fall);
    ``train/layer``; ``val/reconstruction`` and ``test/reconstruction``, the squared error, averaged over pixels, of a
    pass up through all layers and down again.

    Args:
        stack: the layers. When each has had its epochs, training of the top one continues.
        image_shape: channels, height and width of the images, in [0, 1].
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate, stepped after each epoch; None keeps it constant.
        anneal: let the gradient of each layer fall to 0 over its epochs, step by step: for plain gradient descent that
            is a falling learning rate. Nothing learns after that.
    """

    best_metric = ("val/reconstruction", "min")
    # Contrastive divergence follows a gradient; the difference that it is taken of starts near 0 and ends there.
    loss_falls = False

    def __init__(
        self,
        stack: GreedyStack,
        image_shape: Sequence[int],
        optimizer: OptimizerCallable = lambda p: torch.optim.SGD(p, lr=0.05),
        scheduler: LRSchedulerCallable | None = None,
        anneal: bool = False,
    ) -> None:
        super().__init__()
        save_portable_hyperparameters(self)
        if stack.epochs_per_layer < 1:
            raise UserError("epochs_per_layer must be 1 or more")
        self.stack = stack
        self.image_shape = self.input_shape = tuple(image_shape)
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.anneal = anneal

    def visible(self, x: Tensor) -> Tensor:
        """Return the visible units of images ``(B, C, H, W)`` in [0, 1], as probabilities or means."""
        raise NotImplementedError

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the images after a pass up through all layers and down again, by probabilities."""
        raise NotImplementedError

    def sample_visible(self, visible: Tensor) -> Tensor:
        """Sample the visible units of a training step."""
        return torch.bernoulli(visible)

    @override
    def forward(self, x: Tensor) -> Tensor:
        """Return the codes ``(B, latent_dim)`` of images: the probabilities of the top layer's units."""
        codes: Tensor = self.stack(self.visible(x))
        return codes.flatten(1)

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes ``(B, latent_dim)`` of images in [0, 1]."""
        codes: Tensor = self(x)
        return codes

    @property
    def learning(self) -> int:
        """Index of the layer that learns in this epoch."""
        index = self.stack.learning(self.current_epoch)
        return len(self.stack) - 1 if index is None else index

    def remaining(self, batch_idx: int) -> float:
        """Return the fraction of the steps of the layer that learns that are still to come; 1 without ``anneal``."""
        if not self.anneal:
            return 1.0
        epochs, batches = self.stack.epochs_per_layer, self.trainer.num_training_batches
        done = self.current_epoch - self.learning * epochs + batch_idx / batches
        return max(0.0, 1.0 - done / epochs)

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        x, first = inputs_of(batch), batch_idx == 0
        check_image_batch(x, self.image_shape, type(self).__name__, first)
        loss = self.stack.contrastive_divergence(self.sample_visible(self.visible(x)), self.learning, first)
        log_losses(self, {"train/loss": loss})
        if is_logging_step(self):
            self.log("train/layer", float(self.learning))
        return self.remaining(batch_idx) * loss + touch(self)

    @override
    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        silence(self.parameters(), self.stack.layers[self.learning].parameters())

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(inputs_of(batch), "val")

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(inputs_of(batch), "test")

    def _evaluate(self, x: Tensor, stage: str) -> None:
        check_images(x, self.image_shape, type(self).__name__)
        error = (self.reconstruct(x) - x).square().mean()
        self.log(f"{stage}/reconstruction", error, on_epoch=True, prog_bar=True, batch_size=len(x), sync_dist=True)

    @override
    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the codes ``(B, latent_dim)`` of a batch of images."""
        return self.encode(inputs_of(batch))

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        return with_schedule(self.optimizer(self.parameters()), self.scheduler)

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up images ``(n, *image_shape)`` in [0, 1), and labels, which it does not look at."""
        return example_inputs(n, self.image_shape, self.device), example_labels(n, 1, self.device)
