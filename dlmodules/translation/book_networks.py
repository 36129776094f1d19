"""The books' networks of CycleGAN: two U-Nets of few layers, and a discriminator of patches or of whole images."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.layers.initialization import glorot_uniform_, normal_
from dlmodules.layers.same_padding import SameConv2d, SameConvTranspose2d
from dlmodules.translation.residual import check_residual, image_logits
from dlmodules.translation.sizes import check_sizes
from dlmodules.validation.arguments import check_at_least_one
from dlmodules.validation.images import check_image_shape

FILTERS = (32, 64, 128, 256)


class SmallUNetGenerator(nn.Module):
    """A U-Net of images of 32 pixels, whose layers norm first, then activate, then convolve (atienza 7.1.C).

    Convolutions of 32, 64, 128 and 256 filters, all but the first of stride 2, then transposed ones of 128, 64 and 32,
    each beside what was read at its scale, and one to the image's channels, ended by a sigmoid. From one channel to
    three and with kernels of 3 it has 870,757 parameters.

    The first norm takes away how light an image is and how strong its contrasts are, and the mean of its colours, so no
    layer knows them. With ``residual`` the sigmoid is of the outputs and of the logits of the image itself: what is
    made begins as the image, in grey as the mean of its colours and in colours as grey, and the layers change it.
    Without ``norm`` they know all of it.

    Args:
        source_shape: channels, height and width of what is read; multiples of 8.
        image_shape: of what is made; of the same size.
        kernel: size of all kernels.
        norm: norm each image before each layer but the last.
        residual: add what the layers make to the logits of the image.

    Raises:
        UserError: for a number out of range, sizes that differ or cannot be halved three times, and ``residual``
            between numbers of channels of which neither is 1 and that differ.
    """

    output_range = (0.0, 1.0)

    def __init__(
        self,
        source_shape: Sequence[int] = (1, 32, 32),
        image_shape: Sequence[int] = (3, 32, 32),
        kernel: int = 3,
        norm: bool = True,
        residual: bool = False,
    ) -> None:
        check_sizes(source_shape, image_shape, 8, "a U-Net", normed=norm)
        check_at_least_one(kernel=kernel)
        if residual:
            check_residual(source_shape, image_shape)
        super().__init__()
        self.source_shape, self.image_shape, self.kernel = tuple(source_shape), tuple(image_shape), kernel
        self.norm, self.residual = norm, residual
        before = (source_shape[0], *FILTERS[:-1])
        self.down_norms = nn.ModuleList(self._norm(n) for n in before)
        self.downs = nn.ModuleList(
            SameConv2d(a, b, kernel, stride=1 if place == 0 else 2)
            for place, (a, b) in enumerate(zip(before, FILTERS, strict=True))
        )
        read = (256, 256, 128)
        self.up_norms = nn.ModuleList(self._norm(n) for n in read)
        self.ups = nn.ModuleList(
            SameConvTranspose2d(a, b, kernel, stride=2) for a, b in zip(read, (128, 64, 32), strict=True)
        )
        self.last = SameConvTranspose2d(64, image_shape[0], kernel, stride=1)
        glorot_uniform_(self)

    def _norm(self, channels: int) -> nn.Module:
        return nn.InstanceNorm2d(channels, eps=1e-3, affine=True) if self.norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` in [0, 1] to images ``(B, *image_shape)`` in [0, 1]."""
        image, read = x, []
        for norm, down in zip(self.down_norms, self.downs, strict=True):
            x = down(F.leaky_relu(norm(x), 0.2))
            read.append(x)
        for norm, up, beside in zip(self.up_norms, self.ups, read[-2::-1], strict=True):
            x = torch.cat([up(F.relu(norm(x))), beside], dim=1)
        outputs: Tensor = self.last(x)
        return torch.sigmoid(outputs + image_logits(image, self.image_shape[0]) if self.residual else outputs)


class UpsamplingUNetGenerator(nn.Module):
    """A U-Net of four scales that enlarges by repeated pixels and a convolution (foster F5.1).

    Convolutions with kernels of 4 and strides of 2 of ``width``, twice, four and eight times as many filters, normed by
    each image, without a scale or shift; then back. With a width of 32 and colours it has 1,545,411 parameters.

    Args:
        source_shape: channels, height and width of what is read; multiples of 16.
        image_shape: of what is made; of the same size.
        width: filters of the first convolution.

    Raises:
        UserError: for a number out of range, and sizes that differ or cannot be halved four times.
    """

    output_range = (-1.0, 1.0)

    def __init__(
        self, source_shape: Sequence[int] = (3, 128, 128), image_shape: Sequence[int] = (3, 128, 128), width: int = 32
    ) -> None:
        check_sizes(source_shape, image_shape, 16, "a U-Net", normed=True)
        check_at_least_one(width=width)
        super().__init__()
        self.source_shape, self.image_shape, self.width = tuple(source_shape), tuple(image_shape), width
        filters = [width, 2 * width, 4 * width, 8 * width]
        before = (source_shape[0], *filters[:-1])
        self.downs = nn.ModuleList(SameConv2d(a, b, 4, stride=2) for a, b in zip(before, filters, strict=True))
        read = (filters[3], 2 * filters[2], 2 * filters[1])
        self.ups = nn.ModuleList(SameConv2d(a, b, 4) for a, b in zip(read, filters[2::-1], strict=True))
        self.last = SameConv2d(2 * filters[0], image_shape[0], 4)
        normal_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` in [-1, 1] to images ``(B, *image_shape)`` in [-1, 1]."""
        read = []
        for down in self.downs:
            x = F.relu(F.instance_norm(down(x)))
            read.append(x)
        for up, beside in zip(self.ups, read[-2::-1], strict=True):
            x = torch.cat([F.relu(F.instance_norm(up(_doubled(x)))), beside], dim=1)
        return torch.tanh(self.last(_doubled(x)))


class StridedPatchDiscriminator(nn.Module):
    """A discriminator without norms: convolutions of 32, 64, 128 and 256 filters, the first three of stride 2.

    Its last layer judges each patch, or with ``patches`` false the image as a whole (atienza 7.1.C). Of colour images
    of 32 pixels, with kernels of 3, it has 390,721 parameters, and 392,513 without patches.

    Args:
        image_shape: channels, height and width of the images.
        patches: judge patches, ``(B, 1, h, w)``, or images, ``(B, 1)``.
        kernel: size of all kernels.
    """

    per_sample = True
    """An image is judged by itself, whatever others are in its batch: see ``judging.judge_both``."""

    def __init__(self, image_shape: Sequence[int] = (3, 32, 32), patches: bool = True, kernel: int = 3) -> None:
        check_image_shape(image_shape)
        check_at_least_one(kernel=kernel)
        super().__init__()
        self.image_shape, self.patches, self.kernel = tuple(image_shape), patches, kernel
        before = (image_shape[0], *FILTERS[:-1])
        self.convs = nn.ModuleList(
            SameConv2d(a, b, kernel, stride=2 if place < 3 else 1)
            for place, (a, b) in enumerate(zip(before, FILTERS, strict=True))
        )
        sides = [-(-side // 8) for side in image_shape[1:]]
        self.output = SameConv2d(256, 1, kernel) if patches else nn.Linear(256 * sides[0] * sides[1], 1)
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` to outputs ``(B, 1, h, w)``, or ``(B, 1)``: larger for what seems real."""
        for conv in self.convs:
            x = conv(F.leaky_relu(x, 0.2))
        outputs: Tensor = self.output(F.leaky_relu(x, 0.2) if self.patches else x.flatten(1))
        return outputs


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="nearest")
