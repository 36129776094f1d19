"""The restricted Boltzmann machine, trained by contrastive divergence."""

from collections.abc import Sequence
from math import prod

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.energy.tempering import tempered_gibbs
from dlmodules.layers.rbm import BinaryRBM
from dlmodules.protocols import Batch
from dlmodules.sampling.examples import example_inputs, example_labels
from dlmodules.training.batches import inputs_of
from dlmodules.training.schedules import with_schedule
from dlmodules.training.step_logging import log_losses
from dlmodules.validation.arguments import check_at_least, check_at_least_one
from dlmodules.validation.images import check_codes, check_image_batch, check_images
from dlmodules.validation.labels import refuse_labels


class RBM(LightningModule):
    """A restricted Boltzmann machine of 500 hidden units learns the distribution of digits: 393,284 parameters.

    The gradient of the log-likelihood is that of the free energy at the data minus that at the model's own samples.
    Contrastive divergence approximates these samples by ``k`` steps of Gibbs sampling from the data; persistent
    contrastive divergence continues from its samples of the last step.

    Paper: Hinton 2002, Training Products of Experts by Minimizing Contrastive Divergence; Tieleman 2008, Training
        Restricted Boltzmann Machines using Approximations to the Likelihood Gradient.
    Books: vasilev 3.5.

    Logged: ``train/loss``, the difference of free energies (no likelihood: it need not fall); ``val/free_energy``;
    ``val/pseudo_likelihood`` in nats, which rises; ``val/reconstruction`` and ``test/reconstruction``, the squared
    error of one pass up and down, averaged over pixels; ``test/pseudo_likelihood``.

    Args:
        image_shape: channels, height and width of the images, in [0, 1].
        hidden_dim: hidden units.
        k: steps of Gibbs sampling for an update, 1 or more.
        chains: samples that persistent contrastive divergence keeps; 0 starts at the data in every step.
        binarize: sample each pixel of a training image as 0 or 1, with its grey value as probability.
        sample_steps: steps of Gibbs sampling behind each of ``sample``'s images.
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate, stepped after each epoch; None keeps it constant.
        temperatures: chains for each of ``sample``'s images, 1 or more, at temperatures down to the model's own, which
            exchange their states (``dlmodules.energy.tempering``); 1 is plain Gibbs sampling.
    """

    best_metric = ("val/pseudo_likelihood", "max")
    # Contrastive divergence follows a gradient; the difference that it is taken of starts near 0 and ends there.
    loss_falls = False
    code_range = (0.0, 1.0)  # codes are probabilities
    chain: Tensor

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        hidden_dim: int = 500,
        k: int = 1,
        chains: int = 0,
        binarize: bool = True,
        sample_steps: int = 1000,
        optimizer: OptimizerCallable = lambda p: torch.optim.SGD(p, lr=0.05),
        scheduler: LRSchedulerCallable | None = None,
        temperatures: int = 1,
    ) -> None:
        super().__init__()
        save_portable_hyperparameters(self)
        check_at_least_one(hidden_dim=hidden_dim, k=k, sample_steps=sample_steps, temperatures=temperatures)
        check_at_least(0, chains=chains)
        self.image_shape = self.input_shape = tuple(image_shape)
        self.latent_dim = hidden_dim
        self.k = k
        self.binarize = binarize
        self.sample_steps = sample_steps
        self.temperatures = temperatures
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.rbm = BinaryRBM(prod(image_shape), hidden_dim)
        # In the checkpoint, so that a resumed run continues the same chains.
        self.register_buffer("chain", torch.bernoulli(torch.full((chains, prod(image_shape)), 0.5)))

    @override
    def forward(self, x: Tensor) -> Tensor:
        """Return the free energies ``(B,)`` of images ``(B, C, H, W)``."""
        energies: Tensor = self.rbm(x.flatten(1))
        return energies

    def encode(self, x: Tensor) -> Tensor:
        """Return the probabilities ``(B, hidden_dim)`` of the hidden units of images in [0, 1]."""
        return self.rbm.features(x.flatten(1))

    def decode(self, z: Tensor) -> Tensor:
        """Return the probabilities of the pixels ``(B, C, H, W)`` of hidden units ``(B, hidden_dim)``."""
        check_codes(z, self.latent_dim, type(self).__name__)
        return self.rbm.visible_given(z).view(-1, *self.image_shape)

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the images after one pass up and down, by probabilities."""
        return self.decode(self.encode(x))

    def sample(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Run ``n`` Gibbs chains from noise and return the last probabilities of the pixels ``(n, C, H, W)``.

        They start at the persistent chains where there are any. ``labels`` must be None.
        """
        refuse_labels(labels, type(self).__name__)
        start = self.rbm.initial_states(n, self._kept, generator)
        _, probabilities = tempered_gibbs(self.rbm, start, self.sample_steps, self.temperatures, generator)
        return probabilities.view(-1, *self.image_shape)

    @property
    def _kept(self) -> Tensor | None:
        """The persistent chains; None where there are none."""
        return self.chain if len(self.chain) else None

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Lower the free energy of a batch, and raise that of the model's samples."""
        x = inputs_of(batch)
        check_image_batch(x, self.image_shape, type(self).__name__, first=batch_idx == 0)
        v = x.flatten(1)
        v = torch.bernoulli(v) if self.binarize else v
        if batch_idx == 0:
            self.rbm.initialize_biases(v)
        loss = self.rbm.contrastive_divergence(v, self.k, self._kept)
        log_losses(self, {"train/loss": loss})
        return loss

    def pseudo_likelihood(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Estimate the log pseudo-likelihood ``(B,)`` in nats of images by one random pixel each.

        It is the sum over pixels of the log-probability of a pixel given all others; images are rounded to 0 and 1.
        """
        v = x.flatten(1).round()
        pixels = torch.randint(v.shape[1], (len(v), 1), generator=generator, device=v.device)
        flipped = v.scatter(1, pixels, 1 - v.gather(1, pixels))
        return v.shape[1] * F.logsigmoid(self.rbm.free_energy(flipped) - self.rbm.free_energy(v))

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        x = inputs_of(batch)
        self._evaluate(x, batch_idx, "val")
        self.log("val/free_energy", self(x).mean(), on_epoch=True, batch_size=len(x), sync_dist=True)

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(inputs_of(batch), batch_idx, "test")

    def _evaluate(self, x: Tensor, batch_idx: int, stage: str) -> None:
        check_images(x, self.image_shape, type(self).__name__)
        generator = torch.Generator(device=x.device).manual_seed(batch_idx)  # the same pixels in every epoch
        metrics = {
            f"{stage}/pseudo_likelihood": self.pseudo_likelihood(x, generator).mean(),
            f"{stage}/reconstruction": (self.reconstruct(x) - x).square().mean(),
        }
        self.log_dict(metrics, on_epoch=True, prog_bar=True, batch_size=len(x), sync_dist=True)

    @override
    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the probabilities ``(B, hidden_dim)`` of the hidden units of a batch of images."""
        return self.encode(inputs_of(batch))

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        return with_schedule(self.optimizer(self.parameters()), self.scheduler)

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up images ``(n, *image_shape)`` in [0, 1), and labels, which it does not look at."""
        return example_inputs(n, self.image_shape, self.device), example_labels(n, 1, self.device)
