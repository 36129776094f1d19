"""The networks of the second book's GANs."""

import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.gans.strided_networks import StridedDiscriminator, UpsamplingGenerator
from tests.dlmodules.gans.test_variants import count, statistics


def test_parameter_counts_are_the_books():
    generator = UpsamplingGenerator()
    # Batch norm: 4 numbers a unit, of 3,136, 128, 64 and 64, half of which are running statistics.
    assert count(generator) + statistics(generator) == 844_161
    assert statistics(generator) == 2 * (3136 + 128 + 64 + 64)
    assert count(StridedDiscriminator()) == 720_833


@pytest.mark.parametrize("doubling", ["repeat", "transposed"])
def test_shapes_of_colour_images(doubling):
    generator = UpsamplingGenerator((3, 32, 32), 16, 8, (8, 4, 4), (2, 2, 2, 1), doubling, leak=0.2, momentum=0.8)
    images = generator(torch.randn(2, 16))
    assert images.shape == (2, 3, 32, 32)
    assert images.abs().max() <= 1
    assert generator.norms[0].momentum == pytest.approx(0.2)
    assert StridedDiscriminator((3, 32, 32), (4, 8), (2, 2), leak=0.2, dropout=0.0)(images).shape == (2,)


def test_repeated_pixels_are_those_of_the_nearest_neighbour():
    generator = UpsamplingGenerator((1, 2, 2), 3, 1, (), (2,)).eval()
    torch.nn.init.zeros_(generator.convs[0].weight)
    generator.convs[0].weight.data[0, 0, 2, 2] = 1.0  # the convolution hands its input on
    image = generator(torch.ones(1, 3))
    assert image.unique().numel() == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: UpsamplingGenerator(factors=(2, 2)), "factors is"),
        (lambda: UpsamplingGenerator(factors=(3, 2, 1, 1)), "factors is"),
        (lambda: UpsamplingGenerator((1, 30, 30)), "no multiple of 4"),
        (lambda: StridedDiscriminator(strides=(2,)), "4 filters but 1 strides"),
    ],
)
def test_wrong_sizes_end_in_one_line(make, message):
    with pytest.raises(UserError, match=message):
        make()
