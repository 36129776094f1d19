"""Encoder and decoder of World Models, for frames of 64 pixels."""

from collections.abc import Sequence
from math import prod

from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.errors import UserError
from dlmodules.layers.initialization import glorot_uniform_
from dlmodules.validation.arguments import check_at_least_one
from dlmodules.validation.images import check_image_shape

KERNELS = (5, 5, 6, 6)
SIZE = 64


class WorldEncoder(nn.Module):
    """Four convolutions of 4x4 with stride 2, without padding, and two linear heads: mean and log-variance.

    With the paper's filters and ``WorldDecoder``'s a VAE has 4,348,547 parameters; the book's second implementation has
    filters (32, 64, 64, 128).

    Paper: Ha & Schmidhuber 2018, World Models, arXiv:1803.10122.
    Books: foster F8.4.

    Args:
        image_shape: channels, height and width of the images; 46 pixels or more.
        latent_dim: size of the code.
        filters: of each convolution.

    Raises:
        UserError: for smaller images, and numbers below 1.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (3, SIZE, SIZE),
        latent_dim: int = 32,
        filters: Sequence[int] = (32, 64, 128, 256),
    ) -> None:
        check_image_shape(image_shape)
        check_at_least_one(latent_dim=latent_dim, **{f"filters[{i}]": n for i, n in enumerate(filters)})
        super().__init__()
        self.image_shape, self.latent_dim, self.filters = tuple(image_shape), latent_dim, tuple(filters)
        sides = list(image_shape[1:])
        for _ in filters:
            sides = [(side - 4) // 2 + 1 for side in sides]
        if min(sides) < 1:
            raise UserError(
                f"images of {image_shape[1]}x{image_shape[2]} are too small for {len(filters)} convolutions"
            )
        before = (image_shape[0], *filters[:-1])
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2) for a, b in zip(before, filters, strict=True))
        width = filters[-1] * prod(sides)
        self.mean, self.log_var = nn.Linear(width, latent_dim), nn.Linear(width, latent_dim)
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of the codes, each ``(B, latent_dim)``."""
        for conv in self.convs:
            x = F.relu(conv(x))
        h = x.flatten(1)
        return self.mean(h), self.log_var(h)


class WorldDecoder(nn.Module):
    """A linear layer, whose outputs are the channels of one pixel, and four transposed convolutions with stride 2.

    Paper: Ha & Schmidhuber 2018, World Models, arXiv:1803.10122.
    Books: foster F8.4.

    Args:
        image_shape: channels of the images, and 64 twice.
        latent_dim: size of the code.
        filters: of the linear layer and each transposed convolution but the last; the book's second implementation has
            (1024, 64, 64, 32).

    Raises:
        UserError: for another size of images or number of filters, and numbers below 1.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (3, SIZE, SIZE),
        latent_dim: int = 32,
        filters: Sequence[int] = (1024, 128, 64, 32),
    ) -> None:
        check_image_shape(image_shape)
        check_at_least_one(latent_dim=latent_dim, **{f"filters[{i}]": n for i, n in enumerate(filters)})
        if tuple(image_shape[1:]) != (SIZE, SIZE) or len(filters) != len(KERNELS):
            raise UserError(
                f"WorldDecoder makes images of {SIZE}x{SIZE} by four filters, not {image_shape[1]}x{image_shape[2]} by"
                f" {len(filters)}"
            )
        super().__init__()
        self.image_shape, self.latent_dim, self.filters = tuple(image_shape), latent_dim, tuple(filters)
        self.hidden = nn.Linear(latent_dim, filters[0])
        after = (*filters[1:], image_shape[0])
        self.deconvs = nn.ModuleList(
            nn.ConvTranspose2d(a, b, kernel, stride=2) for a, b, kernel in zip(filters, after, KERNELS, strict=True)
        )
        glorot_uniform_(self)

    def forward(self, z: Tensor) -> Tensor:
        """Return the logits ``(B, C, 64, 64)`` of codes ``(B, latent_dim)``."""
        x: Tensor = self.hidden(z)[:, :, None, None]
        for place, deconv in enumerate(self.deconvs):
            x = deconv(F.relu(x) if place else x)
        return x
