"""DCGAN's networks, ranges and sampling."""

import pytest
import torch

from dlmodules import DCGAN
from dlmodules.errors import UserError
from dlmodules.gans.dcgan_lab import LabDiscriminator, LabGenerator


def count(network):
    return sum(p.numel() for p in network.parameters())


def test_parameter_counts_are_the_books():
    module = DCGAN()
    statistics = sum(b.numel() for name, b in module.generator.named_buffers() if "running" in name)
    assert count(module.generator) == 1_300_801  # trainable
    assert count(module.generator) + statistics == 1_301_505  # Keras counts running statistics as parameters
    assert count(module.discriminator) == 1_080_577
    lab = LabGenerator()
    statistics = sum(b.numel() for name, b in lab.named_buffers() if "running" in name)
    assert count(lab) + statistics == 2_330_944
    assert count(LabDiscriminator()) == 212_865


def test_shapes_at_other_sizes():
    module = DCGAN(image_shape=(3, 32, 32), width=0.1)
    images = module.sample(2)
    assert images.shape == (2, 3, 32, 32)
    assert module.discriminator(images).shape == (2,)


def test_samples_lie_in_the_unit_range_whatever_the_generator_gives():
    module = DCGAN(generator=LabGenerator(), discriminator=LabDiscriminator(), noise="normal").eval()
    raw = module.generator(torch.randn(16, 100))
    assert raw.min() < 0
    images = module.sample(16)
    assert images.min() >= 0.0
    assert images.max() <= 1.0
    real = torch.rand(4, 1, 28, 28)
    assert torch.allclose(module.prepare_real(real), real * 2 - 1)


def test_noise_is_uniform_or_normal():
    generator = torch.Generator().manual_seed(0)
    uniform = DCGAN(width=0.05).draw_noise(5000, generator)
    assert -1 <= uniform.min() < -0.99
    assert 0.99 < uniform.max() <= 1
    assert uniform.std().item() == pytest.approx(3**-0.5, abs=0.01)
    normal = DCGAN(width=0.05, noise="normal").draw_noise(5000, generator)
    assert normal.std().item() == pytest.approx(1.0, abs=0.01)


def test_same_generator_same_samples():
    module = DCGAN(width=0.05).eval()
    draw = lambda: module.sample(3, generator=torch.Generator().manual_seed(4))  # noqa: E731
    assert torch.equal(draw(), draw())


def test_labels_are_refused():
    with pytest.raises(UserError, match="takes no labels"):
        DCGAN(width=0.05).sample(2, labels=torch.tensor([1, 2]))
