"""The deep convolutional GAN."""

from collections.abc import Sequence
from typing import Literal

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.errors import UserError
from dlmodules.gans.base import AdversarialModule, Batch
from dlmodules.gans.losses import (
    discriminator_accuracy,
    discriminator_loss,
    non_saturating_generator_loss,
)
from dlmodules.hparams import save_portable_hyperparameters
from dlmodules.images import check_images, check_unit_range
from dlmodules.layers.channels_last import use_channels_last
from dlmodules.layers.initialization import glorot_uniform_
from dlmodules.layers.normalization import keras_batch_norm
from dlmodules.layers.same_padding import SameConv2d, SameConvTranspose2d


class DCGANGenerator(nn.Module):
    """Noise to image: a dense layer to a quarter of the size, then four [batch norm, ReLU, transposed convolution].

    Filters 128 and 64 double the size, 32 and the image's channels keep it; a sigmoid ends it. ``width``
    multiplies the numbers of filters.
    """

    output_range = (0.0, 1.0)

    def __init__(self, image_shape: Sequence[int] = (1, 28, 28), latent_dim: int = 100, width: float = 1.0) -> None:
        super().__init__()
        self.image_shape, self.latent_dim, self.width = tuple(image_shape), latent_dim, width
        if image_shape[1] % 4 or image_shape[2] % 4:
            raise UserError(
                f"images of {image_shape[1]}x{image_shape[2]} cannot be made by two doublings:"
                " choose a size that is a multiple of 4"
            )
        filters = [max(1, round(n * width)) for n in (128, 128, 64, 32)] + [image_shape[0]]
        self.bottom = (filters[0], image_shape[1] // 4, image_shape[2] // 4)
        self.dense = nn.Linear(latent_dim, self.bottom[0] * self.bottom[1] * self.bottom[2])
        self.norms = nn.ModuleList(keras_batch_norm(n) for n in filters[:-1])
        self.deconvs = nn.ModuleList(
            SameConvTranspose2d(before, after, 5, stride=stride)
            for before, after, stride in zip(filters, filters[1:], (2, 2, 1, 1), strict=False)
        )
        glorot_uniform_(self)

    def forward(self, z: Tensor) -> Tensor:
        """Map noise ``(B, latent_dim)`` to images ``(B, C, H, W)`` in [0, 1]."""
        x = self.dense(z).view(-1, *self.bottom)
        for norm, deconv in zip(self.norms, self.deconvs, strict=True):
            x = deconv(F.relu(norm(x)))
        return torch.sigmoid(x)


class DCGANDiscriminator(nn.Module):
    """Image to logit: four [leaky ReLU, convolution] with 32, 64, 128, 256 filters, then a dense layer.

    The first three halve the size. There is no batch normalization: with it the book's training fails.
    The leaky ReLU before the first convolution changes nothing on images in [0, 1] and is left out.
    """

    def __init__(self, image_shape: Sequence[int] = (1, 28, 28), width: float = 1.0) -> None:
        super().__init__()
        self.image_shape, self.width = tuple(image_shape), width
        filters = [image_shape[0]] + [max(1, round(n * width)) for n in (32, 64, 128, 256)]
        self.convs = nn.ModuleList(
            SameConv2d(before, after, 5, stride=stride)
            for before, after, stride in zip(filters, filters[1:], (2, 2, 2, 1), strict=False)
        )
        height, width_ = (-(-side // 8) for side in image_shape[1:])
        self.dense = nn.Linear(filters[-1] * height * width_, 1)
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` to logits ``(B,)``; positive means real."""
        x = self.convs[0](x)
        for conv in self.convs[1:]:
            x = conv(F.leaky_relu(x, 0.2))
        logits: Tensor = self.dense(x.flatten(1)).squeeze(1)
        return logits


class DCGAN(AdversarialModule):
    """A convolutional generator learns to make images that a discriminator takes for real.

    Paper: Radford, Metz & Chintala 2015, Unsupervised Representation Learning with DCGANs, arXiv:1511.06434.
    Books: atienza 4.2.1, lab L8.

    Logged every few steps: ``train/d_loss`` (0.693 when the discriminator knows nothing),
    ``train/g_loss``, ``train/d_accuracy``, ``train/d_real`` and ``train/d_fake`` (mean probability given
    to real and made images); ``val/d_real`` on images that the discriminator never trained on.

    Args:
        image_shape: channels, height and width of the images; the default networks need multiples of 4.
        latent_dim: size of the noise vector.
        width: multiplies the filters of the default networks; 0.25 trains on a CPU.
        generator: maps noise to images; its attribute ``output_range`` (default [0, 1]) says in which range.
            None builds ``DCGANGenerator`` (1,301,505 parameters).
        discriminator: maps images in the generator's range to logits ``(B,)``. None builds
            ``DCGANDiscriminator`` (1,080,577 parameters).
        noise: ``uniform`` on [-1, 1] (the book's) or ``normal``.
        optimizer_d: makes the discriminator's optimizer.
        optimizer_g: makes the generator's optimizer; half the learning rate is more stable.
        n_critic: discriminator updates for each generator update.
        update: ``alternating``, or ``simultaneous`` with one batch of fakes for both networks.
        clip_grad_norm: largest norm of each network's gradient; None does not clip.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 100,
        width: float = 1.0,
        generator: nn.Module | None = None,
        discriminator: nn.Module | None = None,
        noise: Literal["uniform", "normal"] = "uniform",
        optimizer_d: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=2e-4, alpha=0.9, eps=1e-7),
        optimizer_g: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=1e-4, alpha=0.9, eps=1e-7),
        n_critic: int = 1,
        update: Literal["alternating", "simultaneous"] = "alternating",
        clip_grad_norm: float | None = None,
    ) -> None:
        super().__init__(n_critic, update, clip_grad_norm)
        save_portable_hyperparameters(self)
        self.image_shape = tuple(image_shape)
        self.latent_dim = latent_dim
        self.noise = noise
        self.generator = generator or DCGANGenerator(image_shape, latent_dim, width)
        self.discriminator = discriminator or DCGANDiscriminator(image_shape, width)
        self.optimizer_d, self.optimizer_g = optimizer_d, optimizer_g
        self._checked = False
        use_channels_last(self)

    @property
    def output_range(self) -> tuple[float, float]:
        """Lowest and highest value of the generator's images."""
        low, high = getattr(self.generator, "output_range", (0.0, 1.0))
        return float(low), float(high)

    def forward(self, z: Tensor) -> Tensor:
        """Return the images in [0, 1] of noise ``(B, latent_dim)``."""
        low, high = self.output_range
        images: Tensor = self.generator(z)
        return (images - low) / (high - low)

    def draw_noise(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Return noise ``(n, latent_dim)``: uniform on [-1, 1] or standard normal."""
        device = generator.device if generator is not None else self.device
        shape = (n, self.latent_dim)
        if self.noise == "uniform":
            z = torch.rand(shape, generator=generator, device=device) * 2.0 - 1.0
        else:
            z = torch.randn(shape, generator=generator, device=device)
        return z.to(self.device)

    def sample(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Make ``n`` images ``(n, C, H, W)`` in [0, 1]. ``labels`` must be None."""
        if labels is not None:
            raise UserError(f"{type(self).__name__} is not conditional: it takes no labels")
        images: Tensor = self(self.draw_noise(n, generator))
        return images

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Cross-entropy of real against made images."""
        return discriminator_loss(real_logits, fake_logits)

    def generator_loss(self, fake_logits: Tensor) -> Tensor:
        """Non-saturating loss."""
        return non_saturating_generator_loss(fake_logits)

    def prepare_real(self, x: Tensor) -> Tensor:
        """Check the images and bring them from [0, 1] to the generator's range."""
        check_images(x, self.image_shape, type(self).__name__)
        if not self._checked:
            check_unit_range(x, type(self).__name__)
            self._checked = True
        low, high = self.output_range
        return x if (low, high) == (0.0, 1.0) else x * (high - low) + low

    def judgement(self, real_logits: Tensor, fake_logits: Tensor) -> dict[str, Tensor]:
        """Add the discriminator's accuracy."""
        accuracy = discriminator_accuracy(real_logits.detach(), fake_logits.detach())
        return {"train/d_accuracy": accuracy} | super().judgement(real_logits, fake_logits)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Ask the discriminator about real images that it never trained on: far below ``train/d_real`` it overfits."""
        real_logits = self.discriminator(self.prepare_real(batch[0]))
        self.log("val/d_real", torch.sigmoid(real_logits).mean(), batch_size=len(batch[0]), sync_dist=True)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Ask the discriminator about the test images."""
        real_logits = self.discriminator(self.prepare_real(batch[0]))
        self.log("test/d_real", torch.sigmoid(real_logits).mean(), batch_size=len(batch[0]), sync_dist=True)

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return as many new images as the batch has."""
        x = batch[0] if isinstance(batch, (tuple, list)) else batch
        return self.sample(len(x))

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Make the discriminator's and the generator's optimizer."""
        return [
            self.optimizer_d(self.discriminator.parameters()),
            self.optimizer_g(self.generator.parameters()),
        ]
