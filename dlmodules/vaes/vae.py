"""The variational autoencoder."""

from collections.abc import Sequence
from typing import Literal

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn

from dlmodules.errors import UserError
from dlmodules.finite import require_finite
from dlmodules.hparams import save_portable_hyperparameters
from dlmodules.images import check_images, check_unit_range
from dlmodules.layers.channels_last import use_channels_last
from dlmodules.step_logging import is_logging_step
from dlmodules.vaes.losses import (
    active_units,
    bernoulli_nll,
    kl_to_standard_normal,
    reparameterize,
    squared_error,
)
from dlmodules.vaes.networks import ConvDecoder, ConvEncoder

Batch = tuple[Tensor, Tensor]


class VAE(LightningModule):
    """Learn a latent code whose prior is a standard normal; convolutional networks of 134,165 parameters by default.

    Paper: Kingma & Welling 2013, Auto-Encoding Variational Bayes, arXiv:1312.6114.
    Books: atienza 8.1.1, atienza 8.1.2.

    The loss is the mean over the batch of ``reconstruction + beta * kl``, where both terms are in nats
    per image: the reconstruction error is **summed over pixels**, the KL divergence **summed over latent
    dimensions**. With ``beta=1`` and the Bernoulli likelihood it is the negative ELBO. A reconstruction
    error averaged over pixels would be 784 times smaller and its KL weight mean another thing.

    Logged, in nats per image: ``elbo`` (never weighted by beta), ``reconstruction``, ``kl``, ``loss``,
    each under ``train/``, ``val/`` and ``test/``; and ``val/active_units``. Variants override
    ``reconstruction_loss`` or ``kl_loss``.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the code.
        encoder: maps images to mean and log-variance of the code; None builds ``ConvEncoder``.
        decoder: maps codes to the logits of images; None builds ``ConvDecoder``.
        likelihood: ``bernoulli`` (cross-entropy) or ``gaussian`` (squared error, the books' MSE option).
        beta: weight of the KL term, at least 0; 1 gives the ELBO.
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
        optimizer: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=1e-3, alpha=0.9, eps=1e-7),
    ) -> None:
        super().__init__()
        save_portable_hyperparameters(self)
        if latent_dim < 1:
            raise UserError(f"latent_dim is {latent_dim}; it must be at least 1")
        if beta < 0:
            raise UserError(f"beta is {beta}; it must be at least 0")
        self.image_shape = tuple(image_shape)
        self.latent_dim = latent_dim
        self.encoder = encoder or ConvEncoder(image_shape, latent_dim)
        self.decoder = decoder or ConvDecoder(image_shape, latent_dim)
        self.likelihood = likelihood
        self.beta = beta
        self.optimizer = optimizer
        self._val_means: list[Tensor] = []
        use_channels_last(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode, draw a code and decode it: returns logits ``(B, C, H, W)``, mean and log-variance."""
        mean, log_var = self.encoder(x)
        return self.decoder(reparameterize(mean, log_var)), mean, log_var

    def encode(self, x: Tensor) -> Tensor:
        """Return the posterior means ``(B, latent_dim)`` of images in [0, 1]."""
        mean: Tensor = self.encoder(x)[0]
        return mean

    def decode(self, z: Tensor) -> Tensor:
        """Return the images in [0, 1] of codes ``(B, latent_dim)``."""
        if z.ndim != 2 or z.shape[1] != self.latent_dim:
            raise UserError(f"codes are {tuple(z.shape)}; this VAE needs (n, {self.latent_dim})")
        return torch.sigmoid(self.decoder(z))

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the images decoded from the posterior means of ``x``."""
        return self.decode(self.encode(x))

    def sample(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Decode ``n`` draws from the prior: ``(n, C, H, W)`` in [0, 1]. ``labels`` must be None."""
        if labels is not None:
            raise UserError(f"{type(self).__name__} is not conditional: it takes no labels")
        device = generator.device if generator is not None else self.device
        z = torch.randn(n, self.latent_dim, generator=generator, device=device)
        return self.decode(z.to(self.device))

    def reconstruction_loss(self, logits: Tensor, x: Tensor) -> Tensor:
        """Return the reconstruction error ``(B,)`` in nats, summed over pixels."""
        return bernoulli_nll(logits, x) if self.likelihood == "bernoulli" else squared_error(logits, x)

    def kl_loss(self, mean: Tensor, log_var: Tensor) -> Tensor:
        """Return the KL divergence ``(B,)`` of the posterior from the prior in nats."""
        return kl_to_standard_normal(mean, log_var)

    def _losses(self, x: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Return the batch means of all terms, and the posterior means."""
        check_images(x, self.image_shape, type(self).__name__)
        logits, mean, log_var = self(x)
        reconstruction = self.reconstruction_loss(logits, x).mean()
        kl = self.kl_loss(mean, log_var).mean()
        loss = reconstruction + self.beta * kl
        return {
            "loss": loss,
            "elbo": -(reconstruction + kl),
            "reconstruction": reconstruction,
            "kl": kl,
        }, mean

    def on_fit_start(self) -> None:
        """Make sure that the first batch's value range is checked."""
        self._range_checked = False

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Do one step of gradient descent on a batch."""
        if self.likelihood == "bernoulli" and not getattr(self, "_range_checked", False):
            check_unit_range(batch[0], type(self).__name__)
            self._range_checked = True
        losses, _ = self._losses(batch[0])
        require_finite({f"train/{name}": value for name, value in losses.items()}, self.global_step)
        if is_logging_step(self):
            self.log_dict({f"train/{name}": value.detach() for name, value in losses.items()}, prog_bar=True)
        return losses["loss"]

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Measure the terms on held-out images and gather the codes for ``val/active_units``."""
        self._val_means.append(self._evaluate(batch, "val"))

    def on_validation_epoch_end(self) -> None:
        """Count the latent units in use."""
        means = torch.cat(self._val_means)
        self._val_means.clear()
        if len(means) > 1:
            self.log("val/active_units", active_units(means).float(), sync_dist=True)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Measure the terms on the test set."""
        self._evaluate(batch, "test")

    def _evaluate(self, batch: Batch, stage: str) -> Tensor:
        losses, mean = self._losses(batch[0])
        metrics = {f"{stage}/{name}": value for name, value in losses.items()}
        self.log_dict(metrics, on_epoch=True, batch_size=len(batch[0]), sync_dist=True)
        return mean

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the codes ``(B, latent_dim)`` of a batch of images."""
        return self.encode(batch[0] if isinstance(batch, (tuple, list)) else batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Make the optimizer."""
        return self.optimizer(self.parameters())
