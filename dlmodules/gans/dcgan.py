"""The deep convolutional GAN."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.adversarial.module import UpdateOrder
from dlmodules.gans.gan import GAN, Noise
from dlmodules.gans.widths import scaled
from dlmodules.layers.initialization import glorot_uniform_
from dlmodules.layers.normalization import keras_batch_norm
from dlmodules.layers.same_padding import SameConv2d, SameConvTranspose2d
from dlmodules.validation.arguments import check_at_least_one
from dlmodules.validation.images import check_image_shape, quarter


class DCGANGenerator(nn.Module):
    """Noise to image: a dense layer to a quarter of the size, then four [batch norm, ReLU, transposed convolution].

    Filters 128 and 64 double the size, 32 and the image's channels keep it; a sigmoid ends it. ``width``
    multiplies the numbers of filters.
    """

    output_range = (0.0, 1.0)
    strides: tuple[int, ...] = (2, 2, 1, 1)

    def __init__(self, image_shape: Sequence[int] = (1, 28, 28), latent_dim: int = 100, width: float = 1.0) -> None:
        super().__init__()
        check_at_least_one(latent_dim=latent_dim)
        side = quarter(image_shape)
        self.image_shape, self.latent_dim, self.width = tuple(image_shape), latent_dim, width
        filters = [scaled(n, width) for n in (128, 128, 64, 32)] + [image_shape[0]]
        self.bottom = (filters[0], *side)
        self.dense = nn.Linear(latent_dim, self.bottom[0] * self.bottom[1] * self.bottom[2])
        self.norms = nn.ModuleList(keras_batch_norm(n) for n in filters[:-1])
        self.deconvs = nn.ModuleList(
            SameConvTranspose2d(before, after, 5, stride=stride)
            for before, after, stride in zip(filters, filters[1:], self.strides, strict=False)
        )
        glorot_uniform_(self)

    def forward(self, z: Tensor) -> Tensor:
        """Map noise ``(B, latent_dim)`` to images ``(B, C, H, W)`` in [0, 1]."""
        x = self.dense(z).view(-1, *self.bottom)
        for norm, deconv in zip(self.norms, self.deconvs, strict=True):
            x = deconv(F.relu(norm(x)))
        return self.output(x)

    def output(self, x: Tensor) -> Tensor:
        """Bring what the last convolution gives to ``output_range``."""
        return torch.sigmoid(x)


class DCGANDiscriminator(nn.Module):
    """Image to logit: four [leaky ReLU, convolution] with 32, 64, 128, 256 filters, then a dense layer.

    The first three halve the size. There is no batch normalization: with it the book's training fails.
    The leaky ReLU before the first convolution changes nothing on images in [0, 1] and is left out.
    """

    def __init__(self, image_shape: Sequence[int] = (1, 28, 28), width: float = 1.0) -> None:
        super().__init__()
        check_image_shape(image_shape)
        self.image_shape, self.width = tuple(image_shape), width
        filters = [image_shape[0]] + [scaled(n, width) for n in (32, 64, 128, 256)]
        self.convs = nn.ModuleList(
            SameConv2d(before, after, 5, stride=stride)
            for before, after, stride in zip(filters, filters[1:], (2, 2, 2, 1), strict=False)
        )
        height, width_ = (-(-side // 8) for side in image_shape[1:])
        self.hidden_dim = filters[-1] * height * width_
        self.dense = nn.Linear(self.hidden_dim, 1)
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` to logits ``(B,)``; positive means real."""
        logits: Tensor = self.dense(self.hidden(x)).squeeze(1)
        return logits

    def hidden(self, x: Tensor) -> Tensor:
        """Return the features ``(B, hidden_dim)`` of images ``(B, C, H, W)``."""
        x = self.convs[0](x)
        for conv in self.convs[1:]:
            x = conv(F.leaky_relu(x, 0.2))
        return x.flatten(1)


class DCGAN(GAN):
    """A GAN of convolutions, without pooling; it logs what ``GAN`` logs.

    Paper: Radford, Metz & Chintala 2015, Unsupervised Representation Learning with DCGANs, arXiv:1511.06434.
    Books: atienza 4.2.1, lab L8, foster F4.1, foster F4.2, foster F4.6.

    Args:
        image_shape: channels, height and width of the images; the default networks need multiples of 4.
        latent_dim: size of the noise vector.
        width: multiplies the filters of the default networks; 0.25 trains on a CPU.
        generator: maps noise to images; its attribute ``output_range`` (default [0, 1]) says in which range.
            None builds ``DCGANGenerator`` (1,301,505 parameters).
        discriminator: maps images in the generator's range to outputs ``(B,)``. None builds
            ``DCGANDiscriminator`` (1,080,577 parameters).
        noise: ``uniform`` on [-1, 1] (the book's) or ``normal``.
        optimizer_d: makes the discriminator's optimizer.
        optimizer_g: makes the generator's optimizer; half the learning rate is more stable.
        update: ``alternating``; ``simultaneous`` with one batch of fakes for both networks; or ``separate`` updates of
            the discriminator on real and on fake images.
        **kwargs: arguments of ``GAN``.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"width": 0.25}

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 100,
        width: float = 1.0,
        generator: nn.Module | None = None,
        discriminator: nn.Module | None = None,
        noise: Noise = "uniform",
        optimizer_d: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=2e-4, alpha=0.9, eps=1e-7),
        optimizer_g: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=1e-4, alpha=0.9, eps=1e-7),
        update: UpdateOrder = "alternating",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            image_shape=image_shape,
            latent_dim=latent_dim,
            generator=generator or DCGANGenerator(image_shape, latent_dim, width),
            discriminator=discriminator or DCGANDiscriminator(image_shape, width),
            noise=noise,
            optimizer_d=optimizer_d,
            optimizer_g=optimizer_g,
            update=update,
            **kwargs,
        )
