"""PatchGAN: a discriminator that judges each patch of an image by itself."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.errors import UserError
from dlmodules.layers.initialization import normal_
from dlmodules.layers.same_padding import SameConv2d
from dlmodules.validation.arguments import check_at_least_one, check_positive
from dlmodules.validation.images import check_image_shape

PatchNorm = Literal["instance", "affine_instance", "batch", "none"]


class PatchDiscriminator(nn.Module):
    """Convolutions with kernels of 4 to a map of outputs, each of which has seen a patch.

    With three ``layers`` of stride 2 the filters are C64-C128-C256-C512 and a patch has 70 pixels: the paper's.

    Args:
        image_shape: channels, height and width of the images.
        width: filters of the first convolution.
        layers: convolutions that halve the size; filters double with each, up to eight times ``width``.
        norm: behind all convolutions but the first and the last: ``instance``, ``affine_instance``, ``batch``, the last
            two with a scale and a shift for each channel, or ``none``.
        weight_std: deviation of the first weights.

    Raises:
        UserError: for a number out of range, and images too small to be halved so often.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (3, 256, 256),
        width: int = 64,
        layers: int = 3,
        norm: PatchNorm = "instance",
        weight_std: float = 0.02,
    ) -> None:
        check_image_shape(image_shape)
        check_at_least_one(width=width, layers=layers)
        check_positive(weight_std=weight_std)
        if norm not in ("instance", "affine_instance", "batch", "none"):
            raise UserError(f"norm is {norm!r}; it must be instance, affine_instance, batch or none")
        if min(image_shape[1:]) < 2 ** (layers + 1):
            raise UserError(
                f"images of {image_shape[1]}x{image_shape[2]} are too small for {layers} halvings: two pixels a side"
                " must be left to be judged; set fewer layers"
            )
        super().__init__()
        self.image_shape, self.width, self.layers, self.norm = tuple(image_shape), width, layers, norm
        filters = [image_shape[0], *(width * min(2**layer, 8) for layer in range(layers + 1))]
        strides = [2] * layers + [1]
        self.convs = nn.ModuleList(
            SameConv2d(before, after, 4, stride=stride)
            for before, after, stride in zip(filters, filters[1:], strides, strict=False)
        )
        self.norms = nn.ModuleList(self._norm(channels) for channels in filters[2:])
        self.output = SameConv2d(filters[-1], 1, 4)
        normal_(self, weight_std)

    @property
    def per_sample(self) -> bool:
        """Whether an image is judged by itself, whatever others are in its batch: see ``judging.judge_both``."""
        return self.norm != "batch"

    def _norm(self, channels: int) -> nn.Module:
        if self.norm == "none":
            return nn.Identity()
        if self.norm == "batch":
            return nn.BatchNorm2d(channels)
        return nn.InstanceNorm2d(channels, affine=self.norm == "affine_instance")

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` to outputs ``(B, 1, h, w)``, larger where a patch is taken for real."""
        x = F.leaky_relu(self.convs[0](x), 0.2)
        for conv, norm in zip(self.convs[1:], self.norms, strict=True):
            x = F.leaky_relu(norm(conv(x)), 0.2)
        outputs: Tensor = self.output(x)
        return outputs
