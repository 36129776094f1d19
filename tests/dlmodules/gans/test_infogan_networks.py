"""The networks of InfoGAN's paper."""

import pytest
import torch

from dlmodules import InfoGAN
from dlmodules.errors import UserError
from dlmodules.gans.infogan_networks import InfoGANDiscriminator, InfoGANGenerator
from tests.dlmodules.adversarial.test_adversarial_module import loader, trainer

SMALL = {"image_shape": (1, 8, 8), "width": 0.05}


def test_the_papers_sizes():
    count = lambda network: sum(p.numel() for p in network.parameters())  # noqa: E731
    # 74 numbers to 1024 units to 128 maps of 7x7, then 4x4 kernels; the norms have a scale and a shift each.
    dense = 74 * 1024 + 1024 + 2 * 1024 + 1024 * 6272 + 6272 + 2 * 6272
    assert count(InfoGANGenerator()) == dense + 128 * 64 * 16 + 64 + 2 * 64 + 64 * 16 + 1 == 6_652_481
    convs = 64 * 16 + 64 + 64 * 128 * 16 + 128 + 2 * 128
    dense = 6272 * 1024 + 1024 + 2 * 1024
    answers = 1024 + 1 + 1024 * 128 + 128 + 2 * 128 + 128 * 10 + 10 + 128 * 2 + 2
    assert count(InfoGANDiscriminator()) == convs + dense + answers + 2 == 6_692_175  # each code's deviation


def test_shapes_and_range():
    images = InfoGANGenerator(**SMALL)(torch.rand(3, 62), torch.tensor([0, 1, 9]), torch.zeros(3, 2))
    assert images.shape == (3, 1, 8, 8)
    assert 0 <= images.min() <= images.max() <= 1
    assert [tuple(part.shape) for part in InfoGANDiscriminator(**SMALL)(images)] == [(3,), (3, 10), (3, 2)]
    with pytest.raises(UserError, match="images of 10x8 cannot be made by two doublings"):
        InfoGANGenerator((1, 10, 8))


def test_label_and_codes_reach_the_image():
    torch.manual_seed(0)
    generator = InfoGANGenerator(**SMALL).eval()
    z, label, codes = torch.rand(1, 62), torch.tensor([3]), torch.zeros(1, 2)
    plain = generator(z, label, codes)
    assert not torch.equal(plain, generator(z, label + 1, codes))
    assert not torch.equal(plain, generator(z, label, codes + 1))


def test_an_infogan_trains_with_them(tmp_path):
    gan = InfoGAN((1, 8, 8), generator=InfoGANGenerator(**SMALL), discriminator=InfoGANDiscriminator(**SMALL))
    before = {name: p.detach().clone() for name, p in gan.named_parameters()}
    trainer(tmp_path).fit(gan, loader())
    assert [name for name, p in gan.named_parameters() if torch.equal(p, before[name])] == ["discriminator.log_std"]
    assert gan.eval().sample(5).shape == (5, 1, 8, 8)
