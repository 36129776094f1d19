"""Convolutions with Keras' "same" padding, which the books' networks are built with.

With stride 2 the padding is asymmetric: the extra pixel comes after. A symmetric ``padding=k // 2``
gives the same size but reads every window one pixel off.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the pixels to add (before, after) one side of length ``size``."""
    out = -(-size // stride)
    total = max((out - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class SameConv2d(nn.Conv2d):
    """``nn.Conv2d`` whose output is ``ceil(size / stride)``: (B, C_in, H, W) -> (B, C_out, H/stride, W/stride)."""

    def forward(self, input: Tensor) -> Tensor:
        """Pad as Keras does, then convolve."""
        top, bottom = same_padding(input.shape[-2], self.kernel_size[0], self.stride[0])
        left, right = same_padding(input.shape[-1], self.kernel_size[1], self.stride[1])
        if top == bottom and left == right:
            return F.conv2d(input, self.weight, self.bias, self.stride, (top, left))
        return F.conv2d(F.pad(input, (left, right, top, bottom)), self.weight, self.bias, self.stride)


class SameConvTranspose2d(nn.ConvTranspose2d):
    """``nn.ConvTranspose2d`` whose output is ``size * stride``: (B, C_in, H, W) -> (B, C_out, H*stride, W*stride).

    The full output is cropped by what "same" padding would have added to the output: with
    stride 2 one pixel more after than before. A kernel smaller than the stride does not reach the last pixels, which
    are the bias alone.
    """

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Convolve, then crop as Keras does. ``output_size`` is not used: "same" fixes it."""
        sides = [input.shape[-2] * self.stride[0], input.shape[-1] * self.stride[1]]
        (top, bottom), (left, right) = (
            same_padding(*side) for side in zip(sides, self.kernel_size, self.stride, strict=True)
        )
        unread = [max(stride - kernel, 0) for kernel, stride in zip(self.kernel_size, self.stride, strict=True)]
        if (top, left) == (bottom, right):
            return F.conv_transpose2d(input, self.weight, self.bias, self.stride, (top, left), unread)
        # The transposed convolution crops the same from both ends, and what is left of the longer one is cut off after:
        # a larger kernel that moves the output would cost more. To add the bias copies the rest, and once is enough.
        # In 16 bits oneDNN is much slower where the output is no whole number of strides, so it makes a few more.
        few_bits = input.element_size() < 4 or torch.is_autocast_enabled(input.device.type)
        more = [stride - 1 if few_bits else least for stride, least in zip(self.stride, unread, strict=True)]
        x = F.conv_transpose2d(input, self.weight, None, self.stride, (top, left), more)[..., : sides[0], : sides[1]]
        return x.clone() if self.bias is None else x + self.bias[:, None, None]
