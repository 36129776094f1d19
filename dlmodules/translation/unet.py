"""The U-Net of pix2pix: images to images of the same size, with a way around each scale."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.errors import UserError
from dlmodules.layers.initialization import normal_
from dlmodules.translation.sizes import check_sizes
from dlmodules.validation.arguments import check_at_least_one, check_dropout

MOST_SCALES = 8  # those of images of 256 pixels
WITH_DROPOUT = 3  # layers of the decoder, from the smallest scale on
UNetNorm = Literal["instance", "batch"]


class UNetGenerator(nn.Module):
    """Strided convolutions down to a few pixels, transposed ones back, each beside what was read at its scale.

    For images of 256 pixels these are the paper's C64-C128-C256-C512-C512-C512-C512-C512 and, backwards,
    CD512-CD512-CD512-C512-C256-C128-C64, kernels of 4 and strides of 2: 54,414,531 parameters. The paper normalizes by
    the statistics of a batch, of one image; ``instance`` does so whatever the batch.

    Args:
        source_shape: channels, height and width of what is read.
        image_shape: of what is made; of the same size.
        width: filters of the first convolution.
        scales: how often the size is halved; None down to 1 pixel, but no more than 8 times.
        norm: ``instance`` or ``batch``, both with a scale and a shift for each channel.
        dropout: fraction of the values of the decoder's first three layers that are set to 0 in training.

    Raises:
        UserError: the sizes differ, or cannot be halved so often.
    """

    output_range = (-1.0, 1.0)

    def __init__(
        self,
        source_shape: Sequence[int] = (3, 256, 256),
        image_shape: Sequence[int] = (3, 256, 256),
        width: int = 64,
        scales: int | None = None,
        norm: UNetNorm = "instance",
        dropout: float = 0.5,
    ) -> None:
        check_sizes(source_shape, image_shape, network="a U-Net")
        check_at_least_one(width=width, scales=scales)
        check_dropout(dropout)
        if norm not in ("instance", "batch"):
            raise UserError(f"norm is {norm!r}; it must be instance or batch")
        super().__init__()
        halvings = _halvings(image_shape[1:])
        chosen = min(halvings, MOST_SCALES) if scales is None else scales
        if not 1 <= chosen <= halvings:
            raise UserError(
                f"images of {image_shape[1]}x{image_shape[2]} can be halved {halvings} times, and scales is {chosen}:"
                " choose a size with more factors of 2, or fewer scales"
            )
        self.source_shape, self.image_shape = tuple(source_shape), tuple(image_shape)
        self.width, self.scales, self.norm, self.dropout = width, scales, norm, dropout
        filters = [width * min(2**scale, 8) for scale in range(chosen)]
        # The first convolution reads the image as it is, and the last makes too few pixels to tell their spread.
        normed = [0 < scale < chosen - 1 for scale in range(chosen)]
        before = [source_shape[0], *filters[:-1]]
        self.downs = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1, bias=not with_norm)
            for a, b, with_norm in zip(before, filters, normed, strict=True)
        )
        self.down_norms = nn.ModuleList(
            self._norm(b) if with_norm else nn.Identity() for b, with_norm in zip(filters, normed, strict=True)
        )
        after = [image_shape[0], *filters[:-1]]
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(
                filters[scale] * (1 if scale == chosen - 1 else 2), after[scale], 4, 2, 1, bias=scale == 0
            )
            for scale in reversed(range(chosen))
        )
        self.up_norms = nn.ModuleList(self._norm(after[scale]) for scale in reversed(range(1, chosen)))
        normal_(self)

    def _norm(self, channels: int) -> nn.Module:
        return nn.BatchNorm2d(channels) if self.norm == "batch" else nn.InstanceNorm2d(channels, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` in [-1, 1] to images ``(B, *image_shape)`` in [-1, 1]."""
        read = []
        for place, (down, norm) in enumerate(zip(self.downs, self.down_norms, strict=True)):
            x = norm(down(F.leaky_relu(x, 0.2) if place else x))
            read.append(x)
        for place, up in enumerate(self.ups):
            x = up(F.relu(x))
            if place < len(self.up_norms):
                x = self.up_norms[place](x)
                x = F.dropout(x, self.dropout if place < WITH_DROPOUT else 0.0, self.training)
                x = torch.cat([read[-place - 2], x], dim=1)
        return torch.tanh(x)


def _halvings(sides: Sequence[int]) -> int:
    """Return how often all ``sides`` can be halved without a rest."""
    found = 0
    while all(side % 2 ** (found + 1) == 0 for side in sides):
        found += 1
    return found
