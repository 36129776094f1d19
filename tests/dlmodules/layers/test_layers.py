"""Keras' "same" padding, against windows laid out by hand."""

import pytest
import torch
from torch.nn import functional as F

from dlmodules.layers.same_padding import SameConv2d, SameConvTranspose2d, same_padding


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "expected"),
    [
        (28, 3, 2, (0, 1)),
        (28, 5, 2, (1, 2)),
        (14, 5, 2, (1, 2)),
        (7, 5, 2, (2, 2)),
        (4, 5, 1, (2, 2)),
        (9, 4, 1, (1, 2)),
    ],
)
def test_padding_is_keras(size, kernel, stride, expected):
    assert same_padding(size, kernel, stride) == expected


def test_stride_two_reads_each_window_from_its_first_pixel():
    conv = SameConv2d(1, 1, 3, stride=2, bias=False)
    torch.nn.init.zeros_(conv.weight)
    conv.weight.data[0, 0, 0, 0] = 1.0  # picks the top left pixel of each window
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert conv(x).flatten().tolist() == [0.0, 2.0, 8.0, 10.0]
    symmetric = F.conv2d(x, conv.weight, stride=2, padding=1)
    assert not torch.equal(conv(x), symmetric)


def test_transposed_convolution_is_the_adjoint_of_the_convolution():
    # Keras defines the one as the gradient of the other: <conv(x), y> = <x, deconv(y)> with the same weight.
    for kernel, stride in ((3, 2), (5, 2), (5, 1), (3, 1), (1, 2), (2, 4), ((1, 3), 2), ((3, 1), (2, 4))):
        conv = SameConv2d(2, 3, kernel, stride=stride, bias=False).double()
        deconv = SameConvTranspose2d(3, 2, kernel, stride=stride, bias=False).double()
        deconv.weight.data = conv.weight.data
        x, y = torch.randn(1, 2, 8, 8).double(), torch.randn(1, 3, *(8 // each for each in conv.stride)).double()
        assert deconv(y).shape == x.shape
        assert torch.allclose((conv(x) * y).sum(), (x * deconv(y)).sum())
        few_bits = deconv.bfloat16()(y.bfloat16())  # takes another way to the same
        assert few_bits.shape == x.shape
        assert torch.allclose(few_bits.double(), deconv.double()(y), atol=0.1)


def test_pixels_that_a_small_kernel_does_not_reach_are_the_bias():
    deconv = SameConvTranspose2d(1, 1, 1, stride=2)
    torch.nn.init.ones_(deconv.weight)
    torch.nn.init.constant_(deconv.bias, 0.5)
    assert deconv(torch.ones(1, 1, 28, 28)).shape == (1, 1, 56, 56)
    assert deconv(torch.ones(1, 1, 1, 2)).tolist() == [[[[1.5, 0.5, 1.5, 0.5], [0.5, 0.5, 0.5, 0.5]]]]
