"""The networks that translate images: sizes, shapes, and what one output depends on."""

import pytest
import torch
from torch.nn import functional as F

from dlmodules.errors import UserError
from dlmodules.translation import (
    PatchDiscriminator,
    ResNetGenerator,
    SmallUNetGenerator,
    StridedPatchDiscriminator,
    UNetGenerator,
    UpsamplingUNetGenerator,
)
from dlmodules.translation.judging import judge_both


def count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_sizes_are_the_papers_and_the_books() -> None:
    with torch.device("meta"):
        # The paper's repository prints 54.414 and 2.769 million.
        assert count(UNetGenerator()) == 54_414_531
        assert count(PatchDiscriminator((6, 256, 256), norm="affine_instance")) == 2_769_601
        # foster F5.1 and F5.3.
        assert count(PatchDiscriminator((3, 128, 128), width=32)) == 694_241
        assert count(PatchDiscriminator((3, 256, 256), width=64)) == 2_764_737
        assert count(UpsamplingUNetGenerator()) == 1_545_411
        # CycleGAN's repository prints 11.378 million.
        assert count(ResNetGenerator()) == 11_378_179
        # atienza 7.1.C, with a scale and a shift for each channel in place of one for all: 1,730 in place of 14.
        assert count(SmallUNetGenerator()) == 869_041 - 14 + 1_730
        assert count(SmallUNetGenerator((3, 32, 32), (1, 32, 32))) == 870_183
        assert count(SmallUNetGenerator(kernel=5)) == 2_412_721 - 14 + 1_730
        assert count(StridedPatchDiscriminator()) == 390_721
        assert count(StridedPatchDiscriminator(patches=False)) == 392_513
        assert count(StridedPatchDiscriminator((1, 32, 32))) == 390_145
        assert count(StridedPatchDiscriminator(kernel=5)) == 1_084_481


@pytest.mark.parametrize(("size", "scales"), [((16, 16), None), ((48, 32), None), ((24, 24), 2), ((4, 2), None)])
def test_images_keep_their_size(size: tuple[int, int], scales: int | None) -> None:
    network = UNetGenerator((1, *size), (3, *size), width=2, scales=scales)
    images = network(torch.rand(2, 1, *size))
    assert images.shape == (2, 3, *size)
    assert images.abs().max() <= 1


@pytest.mark.parametrize("network", [ResNetGenerator, SmallUNetGenerator, UpsamplingUNetGenerator])
def test_generators_of_cyclegan_keep_the_size_and_their_range(network: type) -> None:
    made = network((1, 16, 32), (3, 16, 32))
    images = made(torch.rand(2, 1, 16, 32))
    assert images.shape == (2, 3, 16, 32)
    low, high = made.output_range
    assert low <= images.min() <= images.max() <= high
    with pytest.raises(UserError, match="images as large as those it reads"):
        network((1, 16, 16), (1, 32, 32))


def test_a_residual_generator_begins_with_the_image() -> None:
    """What its layers make is added to the image in logits: nothing of it leaves the image, 1 doubles its odds by e."""
    grey, colours = torch.rand(2, 1, 8, 16), torch.rand(2, 3, 8, 16)
    for images, channels, expected in (
        (grey, 3, grey.expand(-1, 3, -1, -1)),
        (colours, 1, colours.mean(1, keepdim=True)),
        (colours, 3, colours),
    ):
        network = SmallUNetGenerator(images.shape[1:], (channels, 8, 16), residual=True)
        for parameter in network.last.parameters():
            torch.nn.init.zeros_(parameter)
        assert torch.allclose(network(images), expected, atol=0.002)
        torch.nn.init.ones_(network.last.bias)
        assert torch.allclose(network(images), torch.sigmoid(torch.logit(expected, eps=1 / 512) + 1), atol=1e-6)


def test_a_residual_generator_of_the_other_range_begins_with_the_image() -> None:
    images = 2 * torch.rand(2, 3, 8, 8) - 1
    network = ResNetGenerator((3, 8, 8), (1, 8, 8), width=2, blocks=1, residual=True)
    for parameter in network.last.parameters():
        torch.nn.init.zeros_(parameter)
    expected = images.mean(1, keepdim=True)
    assert torch.allclose(network(images), expected, atol=0.004)
    torch.nn.init.ones_(network.last.bias)
    assert torch.allclose(network(images), torch.tanh(torch.atanh(expected) + 1), atol=0.004)


def test_without_norms_the_small_u_net_knows_how_light_an_image_is() -> None:
    torch.manual_seed(0)
    images = torch.rand(1, 1, 8, 8) / 2 + 0.25
    network = SmallUNetGenerator((1, 8, 8), (1, 8, 8), norm=False)  # nor is one pixel too few
    assert count(network) == count(SmallUNetGenerator((1, 16, 16), (1, 16, 16))) - 2 * (
        1 + 32 + 64 + 128 + 256 + 256 + 128
    )
    assert (network(images) - network(0.5 * images)).abs().mean() > 0.01


@pytest.mark.parametrize("network", [ResNetGenerator, SmallUNetGenerator])
def test_only_a_residual_generator_knows_how_light_an_image_is(network: type) -> None:
    torch.manual_seed(0)
    images = torch.rand(1, 3, 16, 16) / 2 + 0.25
    found = {}
    for residual in (False, True):
        made = network((3, 16, 16), (1, 16, 16), residual=residual)
        found[residual] = float((made(images) - made(0.5 * images)).mean().detach())
    assert abs(found[False]) < 0.01 < 0.1 < found[True]


def test_without_patches_an_image_is_judged_as_a_whole() -> None:
    assert StridedPatchDiscriminator((1, 20, 32), patches=False)(torch.rand(2, 1, 20, 32)).shape == (2, 1)
    assert StridedPatchDiscriminator((1, 20, 32))(torch.rand(2, 1, 20, 32)).shape == (2, 1, 3, 4)


def test_a_u_net_by_hand() -> None:
    """Two scales: each convolution of the way down is used once more, beside what comes up from below it."""
    torch.manual_seed(0)
    network = UNetGenerator((1, 8, 8), (1, 8, 8), width=2, dropout=0.0).eval()
    first, second, third = network.downs
    x = torch.rand(1, 1, 8, 8)
    one = first(x)
    two = F.instance_norm(second(F.leaky_relu(one, 0.2)), eps=1e-5)
    three = third(F.leaky_relu(two, 0.2))
    up = F.instance_norm(network.ups[0](three.relu()), eps=1e-5)
    up = F.instance_norm(network.ups[1](torch.cat([two, up], 1).relu()), eps=1e-5)
    expected = torch.tanh(network.ups[2](torch.cat([one, up], 1).relu()))
    assert torch.allclose(network(x), expected, atol=1e-6)


def test_dropout_is_the_only_noise() -> None:
    network = UNetGenerator((1, 16, 16), (1, 16, 16), width=4)
    x = torch.rand(2, 1, 16, 16)
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))


@pytest.mark.parametrize(("layers", "patch"), [(1, 16), (2, 34), (3, 70)])
def test_an_output_has_seen_its_patch_and_no_more(layers: int, patch: int) -> None:
    size = 128
    network = PatchDiscriminator((1, size, size), width=2, layers=layers, norm="none").double()
    for parameter in network.parameters():
        parameter.data.abs_()  # no path cancels another
    x = torch.rand(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    outputs = network(x)
    side = size // 2**layers
    assert outputs.shape == (1, 1, side, side)
    outputs[0, 0, side // 2, side // 2].backward()
    assert x.grad is not None
    rows = x.grad[0, 0].abs().sum(dim=1).nonzero()
    assert int(rows.max() - rows.min()) + 1 == patch


@pytest.mark.parametrize("norm", ["instance", "affine_instance", "batch", "none"])
def test_norms_of_a_discriminator(norm: str) -> None:
    network = PatchDiscriminator((3, 16, 16), width=2, layers=2, norm=norm)  # type: ignore[arg-type]  # all of them
    assert network(torch.rand(2, 3, 16, 16)).shape == (2, 1, 4, 4)


def test_errors_are_one_line() -> None:
    for make, words in (
        (lambda: UNetGenerator((1, 16, 16), (1, 8, 8)), "a U-Net makes images as large as those it reads"),
        (lambda: UNetGenerator((1, 15, 16), (1, 15, 16)), "images of 15x16 can be halved 0 times, and scales is 0"),
        (lambda: UNetGenerator((1, 8, 8), (1, 8, 8), scales=4), "can be halved 3 times, and scales is 4"),
        (
            lambda: SmallUNetGenerator((1, 12, 12), (1, 12, 12)),
            "images of 12x12 must have sides that are multiples of 8",
        ),
        (
            lambda: SmallUNetGenerator((3, 8, 16), (2, 8, 16), residual=True),
            "residual is true, but an image of 3 channels is not the beginning of one of 2",
        ),
        (lambda: SmallUNetGenerator((1, 8, 8), (1, 8, 8)), "images of 8x8 are too small: a U-Net shrinks them to one"),
        (lambda: UpsamplingUNetGenerator((1, 16, 16), (1, 16, 16)), "images of 16x16 are too small: a U-Net shrinks"),
        (lambda: ResNetGenerator((1, 4, 4), (1, 4, 4)), "images of 4x4 are too small: it shrinks them to one pixel"),
        (lambda: ResNetGenerator((1, 6, 8), (1, 6, 8)), "images of 6x8 must have sides that are multiples of 4"),
        (lambda: UNetGenerator(norm="layer"), "norm is 'layer'; it must be instance or batch"),  # type: ignore[arg-type]
        (lambda: PatchDiscriminator((1, 8, 8)), "images of 8x8 are too small for 3 halvings"),
        (lambda: PatchDiscriminator(norm="layer"), "norm is 'layer'; it must be instance, affine_instance, batch or"),  # type: ignore[arg-type]
    ):
        with pytest.raises(UserError, match=words):
            make()


@pytest.mark.parametrize(
    "network",
    [
        PatchDiscriminator((3, 16, 16), 4, 1),
        PatchDiscriminator((3, 16, 16), 4, 1, "affine_instance"),
        PatchDiscriminator((3, 16, 16), 4, 1, "none"),
        PatchDiscriminator((3, 16, 16), 4, 1, "batch"),
        StridedPatchDiscriminator((3, 16, 16)),
        StridedPatchDiscriminator((3, 16, 16), patches=False),
    ],
)
def test_only_a_discriminator_that_judges_each_image_alone_says_so(network: torch.nn.Module) -> None:
    real, fake = torch.rand(2, 3, 16, 16), torch.rand(4, 3, 16, 16)
    together = network(torch.cat([real, fake]))
    alone = torch.cat([network(real), network(fake)])
    assert network.per_sample == torch.allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_both_kinds_are_judged_as_one_after_the_other(norm: str) -> None:
    network = PatchDiscriminator((3, 16, 16), 4, 1, norm)  # type: ignore[arg-type]  # one of its names
    real, fake = torch.rand(2, 3, 16, 16), torch.rand(4, 3, 16, 16)

    def shifted(images: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = network(images) + shift
        return outputs

    shifts = torch.rand(2, 1, 1, 1), torch.rand(4, 1, 1, 1)
    alone = judge_both(network, (real,), (fake,))
    with_condition = judge_both(network, (real, shifts[0]), (fake, shifts[1]), shifted)
    for place, images in enumerate((real, fake)):
        wanted = network(images)
        torch.testing.assert_close(alone[place], wanted, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(with_condition[place], wanted + shifts[place], atol=1e-6, rtol=1e-5)
