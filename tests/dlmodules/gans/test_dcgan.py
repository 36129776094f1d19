"""DCGAN's networks, ranges and sampling."""

import pytest
import pytorch_lightning as pl
import torch

from datamodules import DigitsDataModule
from dlmodules import DCGAN
from dlmodules.errors import UserError
from dlmodules.gans.dcgan_lab import LabDiscriminator, LabGenerator
from tests.quiet import quiet_trainer


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
    assert torch.allclose(module.prepare_real((real, None)).x, real * 2 - 1)


def test_noise_is_uniform_or_normal():
    generator = torch.Generator().manual_seed(0)
    uniform = DCGAN(width=0.05).sample_noise(5000, generator)
    assert -1 <= uniform.min() < -0.99
    assert 0.99 < uniform.max() <= 1
    assert uniform.std().item() == pytest.approx(3**-0.5, abs=0.01)
    normal = DCGAN(width=0.05, noise="normal").sample_noise(5000, generator)
    assert normal.std().item() == pytest.approx(1.0, abs=0.01)


def test_same_generator_same_samples():
    module = DCGAN(width=0.05).eval()
    draw = lambda: module.sample(3, generator=torch.Generator().manual_seed(4))  # noqa: E731
    assert torch.equal(draw(), draw())


def test_labels_are_refused():
    with pytest.raises(UserError, match="takes no labels"):
        DCGAN(width=0.05).sample(2, labels=torch.tensor([1, 2]))


@pytest.mark.learning
@pytest.mark.slow
def test_its_samples_come_to_look_like_the_digits(tmp_path):
    """Mean and spread of the pixels approach those of the data; held-back or reversed updates leave them far off."""
    pl.seed_everything(0)
    data = DigitsDataModule(image_size=16, batch_size=32, drop_last=True)
    module = DCGAN(image_shape=(1, 16, 16), latent_dim=16, width=0.25, optimizer_d=_adam, optimizer_g=_adam)
    before = distance(module, data)
    trainer = quiet_trainer(max_steps=400, limit_val_batches=0, default_root_dir=tmp_path)
    trainer.fit(module, data)
    after = distance(module, data)
    assert after["mean"] < 0.6 * before["mean"]
    assert after["spread"] < 0.5 * before["spread"]


def _adam(parameters):
    return torch.optim.Adam(parameters, lr=1e-3, betas=(0.5, 0.999))


def distance(module, data):
    """How far the per-pixel means and standard deviations of samples are from those of the training images."""
    data.prepare_data()
    data.setup("fit")
    real = torch.cat([x for x, _ in data.train_dataloader()])
    with torch.no_grad():
        fake = module.eval().sample(512, generator=torch.Generator().manual_seed(0))
    module.train()
    return {
        "mean": (real.mean(0) - fake.mean(0)).abs().mean().item(),
        "spread": (real.std(0) - fake.std(0)).abs().mean().item(),
    }
