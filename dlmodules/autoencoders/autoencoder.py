"""The autoencoder, and the training logic of those that reconstruct corrupted images."""

from collections.abc import Sequence
from typing import Literal

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure
from typing_extensions import override

from dlmodules.autoencoders.losses import LOSSES
from dlmodules.autoencoders.networks import ConvDecoder, ConvEncoder
from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.checkpoints.own_networks import NamesOwnNetworks
from dlmodules.errors import UserError
from dlmodules.layers.channels_last import use_channels_last
from dlmodules.protocols import Batch, Corrupts
from dlmodules.sampling.examples import example_inputs, example_labels
from dlmodules.training.batches import inputs_of
from dlmodules.training.schedules import with_schedule
from dlmodules.training.step_logging import log_losses
from dlmodules.validation.arguments import check_at_least_one
from dlmodules.validation.first_batch import warn_of_probabilities
from dlmodules.validation.images import check_codes, check_image_batch
from dlmodules.validation.networks import check_network


class Autoencoder(NamesOwnNetworks):
    """Compress an image into a code of 16 numbers and reconstruct it: 178,001 parameters.

    Paper: Hinton & Salakhutdinov 2006, Reducing the Dimensionality of Data with Neural Networks.
    Books: atienza 3.2.1, atienza 3.2.2, foster F1.6, foster F3.1, foster F3.2, vasilev 6.1.

    Logged: ``train/loss``, ``val/loss``, ``test/loss``, and of the test images ``test/mse``, ``test/psnr`` in dB and
    ``test/ssim``. A variant that restores corrupted images has a method ``corrupt`` (see ``dlmodules.protocols``).

    Args:
        image_shape: channels, height and width of the images, which lie in [0, 1].
        latent_dim: size of the code.
        encoder: maps images to codes; None builds ``ConvEncoder``.
        decoder: maps codes to the logits of images; None builds ``ConvDecoder``.
        loss: ``mse``, the book's; ``bce``, the cross-entropy of the pixels; or ``ssim``, one minus the structural
            similarity.
        optimizer: makes the optimizer; the default is Adam with Keras' defaults.
        scheduler: makes a schedule of the learning rate, stepped after each epoch; None keeps it constant.
    """

    best_metric = ("val/loss", "min")

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 16,
        encoder: nn.Module | None = None,
        decoder: nn.Module | None = None,
        loss: Literal["mse", "bce", "ssim"] = "mse",
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3, eps=1e-7),
        scheduler: LRSchedulerCallable | None = None,
    ) -> None:
        super().__init__()
        save_portable_hyperparameters(self)
        check_at_least_one(latent_dim=latent_dim)
        if loss not in LOSSES:
            raise UserError(f"loss {loss!r} is unknown; choose one of {', '.join(LOSSES)}")
        self.image_shape = tuple(image_shape)
        self.latent_dim = latent_dim
        self.encoder = encoder or ConvEncoder(image_shape, latent_dim)
        self.decoder = decoder or ConvDecoder(image_shape, latent_dim)
        check_network(self.encoder, "encoder", latent_dim=latent_dim)  # what it reads may have another shape
        check_network(self.decoder, "decoder", latent_dim=latent_dim, image_shape=image_shape)
        self.loss = loss
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.test_psnr = PeakSignalNoiseRatio(data_range=1.0)
        self.test_ssim = StructuralSimilarityIndexMeasure(data_range=1.0)
        use_channels_last(self)

    @override
    def forward(self, x: Tensor) -> Tensor:
        """Return the logits ``(B, C, H, W)`` of the restored images ``x``."""
        logits: Tensor = self.decoder(self.encoder(x))
        return logits

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes ``(B, latent_dim)`` of images in [0, 1]."""
        codes: Tensor = self.encoder(x)
        return codes

    def decode(self, z: Tensor) -> Tensor:
        """Return the images in [0, 1] of codes ``(B, latent_dim)``."""
        check_codes(z, self.latent_dim, type(self).__name__)
        return torch.sigmoid(self.decoder(z))

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the images decoded from the codes of ``x``."""
        return self.decode(self.encode(x))

    def inputs(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return what the encoder is given for the images ``x``: corrupted copies where there is a ``corrupt``.

        ``generator`` draws what is random; None stands for torch's own.
        """
        return self.corrupt(x, generator) if isinstance(self, Corrupts) else x

    def check_inputs(self, x: Tensor, first: bool = False) -> None:
        """Raise UserError unless ``x`` are images ``(B, *image_shape)``; the ``first`` of an epoch also in [0, 1]."""
        check_image_batch(x, self.image_shape, type(self).__name__, first)

    def reconstruction_loss(self, logits: Tensor, x: Tensor) -> Tensor:
        """Return the loss ``()`` of logits and images ``(B, C, H, W)``."""
        if self.training and self.global_step == 0:
            warn_of_probabilities(logits, type(self).__name__)
        return LOSSES[self.loss](logits, x)

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        x = inputs_of(batch)
        self.check_inputs(x, first=batch_idx == 0)
        loss = self.reconstruction_loss(self(self.inputs(x)), x)
        log_losses(self, {"train/loss": loss})
        return loss

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "val")

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> None:
        logits = self._evaluate(batch, batch_idx, "test")
        restored, x = logits.sigmoid(), inputs_of(batch)
        self.log("test/mse", (restored - x).square().mean(), on_epoch=True, batch_size=len(x), sync_dist=True)
        self.test_psnr.update(restored, x)
        self.log("test/psnr", self.test_psnr, on_epoch=True)
        if min(x.shape[-2:]) >= 11:  # the windows of SSIM
            self.test_ssim.update(restored, x)
            self.log("test/ssim", self.test_ssim, on_epoch=True)

    def _evaluate(self, batch: Batch, batch_idx: int, stage: str) -> Tensor:
        x = inputs_of(batch)
        self.check_inputs(x)
        # The same corruption in every epoch, so that epochs can be compared.
        generator = torch.Generator(device=x.device).manual_seed(batch_idx)
        logits: Tensor = self(self.inputs(x, generator))
        loss = self.reconstruction_loss(logits, x)
        self.log(f"{stage}/loss", loss, on_epoch=True, prog_bar=True, batch_size=len(x), sync_dist=True)
        return logits

    @override
    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the codes ``(B, latent_dim)`` of a batch of images."""
        return self.encode(inputs_of(batch))

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        return with_schedule(self.optimizer(self.parameters()), self.scheduler)

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up inputs ``(n, *image_shape)`` in [0, 1), and labels, which it does not look at."""
        return example_inputs(n, self.image_shape, self.device), example_labels(n, 1, self.device)
