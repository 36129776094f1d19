"""The variational autoencoder."""

from collections.abc import Sequence
from math import prod
from typing import Literal

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.checkpoints.own_networks import NamesOwnNetworks
from dlmodules.errors import UserError
from dlmodules.layers.channels_last import use_channels_last
from dlmodules.protocols import Batch
from dlmodules.sampling.devices import sampling_device
from dlmodules.sampling.examples import example_inputs, example_labels
from dlmodules.training.batches import inputs_of
from dlmodules.training.step_logging import log_losses
from dlmodules.vaes.networks import ConvDecoder, ConvEncoder
from dlmodules.validation.arguments import check_at_least, check_at_least_one, check_positive
from dlmodules.validation.first_batch import warn_of_probabilities
from dlmodules.validation.images import check_codes, check_images, check_unit_range
from dlmodules.validation.labels import refuse_labels
from dlmodules.validation.networks import check_network
from dlmodules.variational.elbo import active_units, bernoulli_nll, kl_to_standard_normal, reparameterize, squared_error
from dlmodules.variational.likelihood import importance_weighted_log_likelihood


class VAE(NamesOwnNetworks):
    """Learn a latent code whose prior is a standard normal; convolutional networks of 134,165 parameters by default.

    Paper: Kingma & Welling 2013, Auto-Encoding Variational Bayes, arXiv:1312.6114.
    Books: atienza 8.1.1, atienza 8.1.2, vasilev 6.4, foster F3.3, foster F3.5, foster F8.4.

    The loss is the mean over the batch of ``reconstruction + beta * kl``, where both terms are in nats
    per image: the reconstruction error is **summed over pixels**, the KL divergence **summed over latent
    dimensions**. With ``beta=1`` and the Bernoulli likelihood it is the negative ELBO. A reconstruction
    error averaged over pixels would be 784 times smaller and change the meaning of the KL weight.

    Logged, in nats per image: ``elbo`` (never weighted by beta), ``reconstruction``, ``kl``, ``loss``,
    each under ``train/``, ``val/`` and ``test/``; ``val/active_units``; and ``test/nll``. Variants override
    ``reconstruction_loss`` or ``kl_loss``.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the code.
        encoder: maps images to mean and log-variance of the code; None builds ``ConvEncoder``.
        decoder: maps codes to the logits of images; None builds ``ConvDecoder``.
        likelihood: ``bernoulli`` (cross-entropy) or ``gaussian`` (squared error, the books' MSE option).
        beta: weight of the KL term, at least 0; 1 gives the ELBO.
        free_nats: KL divergence of an image that costs nothing: its loss is the larger of both. World Models has half a
            nat for each latent dimension.
        r_loss_factor: weight of the reconstruction error **averaged** over pixels, as foster gives it, in place of
            their sum; ``elbo`` and likelihood are then not valid. None, or the number of pixels, keeps the sum.
        nll_samples: codes drawn for each image in ``test``, to estimate its negative log-likelihood; 0 for none.
        optimizer: makes the optimizer; the book's convolutional VAE uses RMSprop with Keras' defaults.
    """

    best_metric = ("val/loss", "min")

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 2,
        encoder: nn.Module | None = None,
        decoder: nn.Module | None = None,
        likelihood: Literal["bernoulli", "gaussian"] = "bernoulli",
        beta: float = 1.0,
        free_nats: float = 0.0,
        r_loss_factor: float | None = None,
        nll_samples: int = 0,
        optimizer: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=1e-3, alpha=0.9, eps=1e-7),
    ) -> None:
        super().__init__()
        save_portable_hyperparameters(self)
        check_at_least_one(latent_dim=latent_dim)
        if likelihood not in ("bernoulli", "gaussian"):
            raise UserError(f"likelihood {likelihood!r} is unknown; choose bernoulli or gaussian")
        check_at_least(0, beta=beta, free_nats=free_nats, nll_samples=nll_samples)
        check_positive(r_loss_factor=r_loss_factor)
        self.image_shape = tuple(image_shape)
        self.latent_dim = latent_dim
        self.encoder = encoder or ConvEncoder(image_shape, latent_dim)
        self.decoder = decoder or ConvDecoder(image_shape, latent_dim)
        check_network(self.encoder, "encoder", latent_dim=latent_dim, image_shape=image_shape)
        check_network(self.decoder, "decoder", latent_dim=latent_dim, image_shape=image_shape)
        self.likelihood = likelihood
        self.beta, self.free_nats = beta, free_nats
        self.r_loss_factor = r_loss_factor
        self.nll_samples = nll_samples
        self.optimizer = optimizer
        self._val_means: list[Tensor] = []
        use_channels_last(self)

    def posterior(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance ``(B, latent_dim)`` of codes; conditional children use ``labels``."""
        mean, log_var = self.encoder(x)
        return mean, log_var

    def logits(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the logits ``(B, C, H, W)`` of codes ``(B, latent_dim)``; conditional children use ``labels``."""
        logits: Tensor = self.decoder(z)
        return logits

    @override
    def forward(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Encode, sample a code and decode it: returns logits ``(B, C, H, W)``, mean and log-variance."""
        mean, log_var = self.posterior(x, labels)
        return self.logits(reparameterize(mean, log_var), labels), mean, log_var

    def encode(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the posterior means ``(B, latent_dim)`` of images in [0, 1]."""
        return self.posterior(x, labels)[0]

    def decode(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the images in [0, 1] of codes ``(B, latent_dim)``."""
        check_codes(z, self.latent_dim, type(self).__name__)
        return torch.sigmoid(self.logits(z, labels))

    def reconstruct(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the images decoded from the posterior means of ``x``."""
        return self.decode(self.encode(x, labels), labels)

    def sample(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Decode ``n`` samples of the prior: ``(n, C, H, W)`` in [0, 1]. ``labels`` must be None."""
        refuse_labels(labels, type(self).__name__)
        device = sampling_device(generator, self.device)
        z = torch.randn(n, self.latent_dim, generator=generator, device=device)
        return self.decode(z.to(self.device))

    def reconstruction_loss(self, logits: Tensor, x: Tensor) -> Tensor:
        """Return the reconstruction error ``(B,)`` in nats, summed over pixels, or weighted by ``r_loss_factor``."""
        error = bernoulli_nll(logits, x) if self.likelihood == "bernoulli" else squared_error(logits, x)
        return error if self.r_loss_factor is None else error * (self.r_loss_factor / prod(self.image_shape))

    def kl_loss(self, mean: Tensor, log_var: Tensor) -> Tensor:
        """Return the KL divergence ``(B,)`` of the posterior from the prior in nats."""
        return kl_to_standard_normal(mean, log_var)

    def log_likelihood(self, batch: Batch, samples: int, posterior: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Estimate the log-likelihood ``(B,)`` in nats of a batch by ``samples`` codes for each image, 1 or more.

        See ``importance_weighted_log_likelihood``. With ``likelihood="gaussian"`` a constant is left out.
        ``posterior`` is mean and log-variance of the codes where they are known already.
        """
        x, *labels = self.given(batch)
        mean, log_var = self.posterior(x, *labels) if posterior is None else posterior
        return importance_weighted_log_likelihood(
            lambda z: -self.reconstruction_loss(self.logits(z, *labels), x), mean, log_var, samples
        )

    def _losses(self, batch: Batch) -> tuple[dict[str, Tensor], tuple[Tensor, Tensor]]:
        """Return the batch means of all terms, and the posterior's means and log-variances."""
        x, *labels = self.given(batch)
        check_images(x, self.image_shape, type(self).__name__)
        logits, mean, log_var = self(x, *labels)
        if self.training and self.global_step == 0:
            warn_of_probabilities(logits, type(self).__name__)
        reconstruction = self.reconstruction_loss(logits, x).mean()
        divergence = self.kl_loss(mean, log_var)
        kl = divergence.mean()
        paid = divergence.clamp(min=self.free_nats).mean() if self.free_nats > 0 else kl
        loss = reconstruction + self.beta * paid
        return {
            "loss": loss,
            "elbo": -(reconstruction + kl),
            "reconstruction": reconstruction,
            "kl": kl,
        }, (mean, log_var)

    def given(self, batch: Batch) -> tuple[Tensor, ...]:
        """Return what ``forward`` and ``encode`` are given of a batch of images and labels: here the images alone."""
        return (inputs_of(batch),)

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        losses, _ = self._losses(batch)
        if self.likelihood == "bernoulli" and batch_idx == 0:  # see validation.device_reads
            check_unit_range(self.given(batch)[0], f"{type(self).__name__} with --model.likelihood bernoulli")
        log_losses(self, {f"train/{name}": value for name, value in losses.items()})
        return losses["loss"]

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        means, _ = self._evaluate(batch, "val")
        self._val_means.append(means)

    @override
    def on_validation_epoch_end(self) -> None:
        means = torch.cat(self._val_means)
        self._val_means.clear()
        if len(means) > 1:
            self.log("val/active_units", active_units(means).float(), sync_dist=True)

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> None:
        posterior = self._evaluate(batch, "test")
        if self.nll_samples > 0:
            nll = -self.log_likelihood(batch, self.nll_samples, posterior).mean()
            self.log("test/nll", nll, on_epoch=True, batch_size=len(posterior[0]), sync_dist=True)

    def _evaluate(self, batch: Batch, stage: str) -> tuple[Tensor, Tensor]:
        losses, posterior = self._losses(batch)
        metrics = {f"{stage}/{name}": value for name, value in losses.items()}
        self.log_dict(metrics, on_epoch=True, batch_size=len(posterior[0]), sync_dist=True)
        return posterior

    @override
    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the codes ``(B, latent_dim)`` of a batch."""
        return self.encode(*self.given(batch))

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.optimizer(self.parameters())

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up images ``(n, *image_shape)`` in [0, 1), and labels, which it does not look at."""
        return example_inputs(n, self.image_shape, self.device), example_labels(n, 1, self.device)
