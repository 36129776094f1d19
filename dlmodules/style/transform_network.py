"""The network of fast style transfer: it makes in one pass what takes hundreds of evaluations otherwise."""

from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.layers.normalization import ImageNorm, image_norm
from dlmodules.validation.arguments import check_at_least_one


class PaddedConv(nn.Module):
    """A convolution that keeps the size, or halves it, with edges that are padded by reflection, and a norm.

    Args:
        channels: of what is read.
        width: filters.
        kernel: odd.
        stride: 1, or 2 to halve.
        norm: of ``image_norm``.
    """

    def __init__(self, channels: int, width: int, kernel: int, stride: int = 1, norm: ImageNorm = "none") -> None:
        super().__init__()
        self.pad = kernel // 2
        self.conv = nn.Conv2d(channels, width, kernel, stride)
        self.norm = image_norm(norm, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` ``(B, C, H, W)`` to ``(B, width, H / stride, W / stride)``, rounded up."""
        mode = "reflect" if min(x.shape[-2:]) > self.pad else "replicate"  # which a smaller image cannot have
        made: Tensor = self.norm(self.conv(F.pad(x, (self.pad,) * 4, mode=mode)))
        return made


class StyleResidual(nn.Module):
    """Two convolutions with kernels of 3, normed, whose outputs are added to what came in.

    Args:
        channels: of the images.
        norm: of ``image_norm``.
    """

    def __init__(self, channels: int, norm: ImageNorm) -> None:
        super().__init__()
        self.first, self.second = (PaddedConv(channels, channels, 3, norm=norm) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` ``(B, C, H, W)`` to the same shape."""
        added: Tensor = x + self.second(F.relu(self.first(x)))
        return added


class TransformNetwork(nn.Module):
    """Pictures of any size into styled ones of the same size.

    A convolution with a kernel of 9, two that halve, residual blocks, two doublings to the nearest pixel, each
    with a convolution, which leaves no checkerboard, and a last convolution with a kernel of 9.

    Paper: Johnson, Alahi & Fei-Fei 2016, Perceptual Losses for Real-Time Style Transfer and Super-Resolution;
        instance norms: Ulyanov, Vedaldi & Lempitsky 2016.

    Args:
        channels: of the pictures.
        width: filters of the first convolution; 32 and five blocks are the paper's.
        blocks: residual blocks.
        norm: ``instance``, ``batch``, ``layer``, ``group`` or ``none``.

    Raises:
        UserError: for a number out of range, and a norm that is not known.
    """

    def __init__(self, channels: int = 3, width: int = 32, blocks: int = 5, norm: ImageNorm = "instance") -> None:
        check_at_least_one(channels=channels, width=width, blocks=blocks)
        super().__init__()
        self.channels, self.width, self.blocks, self.norm = channels, width, blocks, norm
        self.first = PaddedConv(channels, width, 9, norm=norm)
        self.downs = nn.ModuleList(PaddedConv(n, 2 * n, 3, 2, norm) for n in (width, 2 * width))
        self.residuals = nn.Sequential(*(StyleResidual(4 * width, norm) for _ in range(blocks)))
        self.ups = nn.ModuleList(PaddedConv(n, n // 2, 3, norm=norm) for n in (4 * width, 2 * width))
        self.last = PaddedConv(width, channels, 9)

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures ``(B, C, H, W)`` in [0, 1] to the same shape in [0, 1]."""
        height, width = x.shape[-2:]
        x = F.relu(self.first(2 * x - 1))
        for down in self.downs:
            x = F.relu(down(x))
        x = self.residuals(x)
        for up in self.ups:
            x = F.relu(up(F.interpolate(x, scale_factor=2.0, mode="nearest")))
        x = self.last(x)[:, :, :height, :width]  # an odd size was rounded up
        return (x.tanh() + 1) / 2
