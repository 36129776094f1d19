"""The networks of the second book's GANs."""

import pytest
import torch
import yaml

from dlmodules.errors import UserError
from dlmodules.gans.strided_networks import StridedDiscriminator, UpsamplingGenerator
from dlmodules_cli.configs import config_root
from tests.dlmodules.gans.test_variants import count, statistics


def test_parameter_counts_are_the_books():
    generator = UpsamplingGenerator()
    # Batch norm: 4 numbers a unit, of 3,136, 128, 64 and 64, half of which are running statistics.
    assert count(generator) + statistics(generator) == 844_161
    assert statistics(generator) == 2 * (3136 + 128 + 64 + 64)
    assert count(StridedDiscriminator()) == 720_833


def networks(name):
    """The generator and the discriminator of a configuration."""
    model = yaml.safe_load((config_root() / "gans" / f"{name}.yaml").read_text())["model"]["init_args"]
    return (
        UpsamplingGenerator(**model["generator"]["init_args"]),
        StridedDiscriminator(**model["discriminator"]["init_args"]),
    )


@pytest.mark.parametrize(
    ("name", "generator_count", "statistics_count", "discriminator_count"),
    [
        ("gan_camels", 844_161 - 6_784, 6_784, 720_833),
        ("gan_camels_transposed", 844_161 - 6_784, 6_784, 720_833),
        # Convolutions have 25 weights for each pair of channels, and biases; batch norm has a gain and an offset.
        (
            "wgan_horses",
            *(206_848 + 409_728 + 204_864 + 51_232 + 2_403 + 2 * (2_048 + 128 + 64 + 32), 2 * (2_048 + 128 + 64 + 32)),
            2_432 + 51_264 + 204_928 + 409_728 + 2_049,
        ),
        (
            "wgan_gp_faces",
            827_392 + 3_277_056 + 819_328 + 204_864 + 4_803 + 2 * (8_192 + 256 + 128 + 64),
            2 * (8_192 + 256 + 128 + 64),
            4_864 + 204_928 + 819_456 + 3_277_312 + 8_193,
        ),
    ],
)
def test_configurations_have_the_books_networks(name, generator_count, statistics_count, discriminator_count):
    generator, discriminator = networks(name)
    assert count(generator) == generator_count
    assert statistics(generator) == statistics_count
    assert count(discriminator) == discriminator_count
    images = generator(torch.randn(2, 100))
    assert images.shape == (2, *generator.image_shape)
    assert discriminator(images).shape == (2,)


def test_the_camels_of_both_doublings_differ_in_nothing_else():
    repeat, transposed = (networks(name)[0] for name in ("gan_camels", "gan_camels_transposed"))
    strides = [conv.stride[0] for conv in transposed.convs]
    assert [type(conv).__name__ for conv in transposed.convs] == ["SameConvTranspose2d"] * 2 + ["SameConv2d"] * 2
    assert strides == [2, 2, 1, 1]
    assert {type(conv).__name__ for conv in repeat.convs} == {"SameConv2d"}
    assert [conv.out_channels for conv in repeat.convs] == [conv.out_channels for conv in transposed.convs]


def test_first_weights_are_narrow_and_biases_zero():
    generator, discriminator = networks("gan_camels")
    for layer in (generator.dense, *generator.convs, *discriminator.convs, discriminator.dense):
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
        assert layer.bias.count_nonzero() == 0


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
