"""The generator of CycleGAN: strided convolutions, residual blocks, and the way back."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.layers.initialization import normal_
from dlmodules.translation.residual import check_residual, image_logits
from dlmodules.translation.sizes import check_sizes
from dlmodules.validation.arguments import check_at_least_one, check_positive


class ResidualBlock(nn.Module):
    """Two convolutions with kernels of 3, normed, whose outputs are added to what came in.

    Args:
        channels: of the images.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(channels, channels, 3) for _ in range(2))
        self.norm = nn.InstanceNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` ``(B, C, H, W)`` to the same shape."""
        read = F.relu(self.norm(self.first(F.pad(x, (1, 1, 1, 1), mode="reflect"))))
        added: Tensor = x + self.norm(self.second(F.pad(read, (1, 1, 1, 1), mode="reflect")))
        return added


class ResNetGenerator(nn.Module):
    """Images to images: two halvings of the size, residual blocks, two doublings, all normed by each image.

    With a width of 64 and nine blocks, for images of 256 pixels: c7s1-64, d128, d256, nine R256, u128, u64, c7s1-3, the
    paper's; 11,378,179 parameters. Edges are padded by reflection.

    The first norm takes away the mean of an image and its contrast, so no layer knows them, and colours may shift as a
    whole. With ``residual`` the tanh is of the outputs and of what would make the image itself: what is made begins as
    the image, and the layers change it.

    Args:
        source_shape: channels, height and width of what is read; multiples of 4.
        image_shape: of what is made; of the same size.
        width: filters of the first convolution.
        blocks: residual blocks.
        residual: add what the layers make to the image.
        weight_std: deviation of the first weights.

    Raises:
        UserError: for a number out of range, sizes that differ, cannot be halved twice or leave one pixel, and
            ``residual`` between numbers of channels that differ, of which neither is 1.
    """

    output_range = (-1.0, 1.0)

    def __init__(
        self,
        source_shape: Sequence[int] = (3, 256, 256),
        image_shape: Sequence[int] = (3, 256, 256),
        width: int = 64,
        blocks: int = 9,
        residual: bool = False,
        weight_std: float = 0.02,
    ) -> None:
        check_at_least_one(width=width, blocks=blocks)
        check_positive(weight_std=weight_std)
        check_sizes(source_shape, image_shape, 4, normed=True)
        if residual:
            check_residual(source_shape, image_shape)
        super().__init__()
        self.source_shape, self.image_shape = tuple(source_shape), tuple(image_shape)
        self.width, self.blocks, self.residual = width, blocks, residual
        self.first = nn.Conv2d(source_shape[0], width, 7)
        self.downs = nn.ModuleList(nn.Conv2d(n, 2 * n, 3, stride=2, padding=1) for n in (width, 2 * width))
        self.residuals = nn.Sequential(*(ResidualBlock(4 * width) for _ in range(blocks)))
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(n, n // 2, 3, stride=2, padding=1, output_padding=1) for n in (4 * width, 2 * width)
        )
        self.last = nn.Conv2d(width, image_shape[0], 7)
        normal_(self, weight_std)

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` in [-1, 1] to images ``(B, *image_shape)`` in [-1, 1]."""
        image = x
        x = F.relu(F.instance_norm(self.first(F.pad(x, (3, 3, 3, 3), mode="reflect"))))
        for down in self.downs:
            x = F.relu(F.instance_norm(down(x)))
        x = self.residuals(x)
        for up in self.ups:
            x = F.relu(F.instance_norm(up(x)))
        outputs: Tensor = self.last(F.pad(x, (3, 3, 3, 3), mode="reflect"))
        if self.residual:  # tanh is a sigmoid of twice as much
            outputs = outputs + image_logits((image + 1) / 2, self.image_shape[0]) / 2
        return outputs.tanh()
