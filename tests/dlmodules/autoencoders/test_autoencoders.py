"""The autoencoders: the books' parameter counts, what damages images and what it costs, and that they learn."""

import math

import pytest
import pytorch_lightning as pl
import torch
from torch import nn

from datamodules import DigitsDataModule, StatesDataModule
from dlmodules import Autoencoder, ColorizationAutoencoder, DenoisingAutoencoder, StateAutoencoder
from dlmodules.autoencoders.colorization import to_grey
from dlmodules.autoencoders.denoising import gaussian_noise, salt
from dlmodules.autoencoders.losses import bce, dissimilarity, mse
from dlmodules.autoencoders.networks import ConvDecoder, ConvEncoder
from dlmodules.errors import UserError
from tests.quiet import quiet_trainer


def count(module):
    return sum(p.numel() for p in module.parameters())


def foster():
    encoder = ConvEncoder((1, 28, 28), 2, (32, 64, 64, 64), (1, 2, 2, 1), "keras_leaky_relu")
    decoder = ConvDecoder((1, 28, 28), 2, (64, 64, 32), (1, 2, 2, 1), "keras_leaky_relu")
    return Autoencoder(latent_dim=2, encoder=encoder, decoder=decoder)


@pytest.mark.parametrize(
    ("make", "encoder", "total"),
    [
        (Autoencoder, 69_008, 178_001),
        (lambda: Autoencoder(latent_dim=2), 69_008 - 14 * 3_137, 90_179),
        (foster, 98_946, 200_963),
        (DenoisingAutoencoder, 69_008, 178_001),
        (ColorizationAutoencoder, 1_418_496, 3_431_811),
        (StateAutoencoder, 37_792, 37_792 + 37_762),
    ],
)
def test_parameter_counts_are_the_books(make, encoder, total):
    module = make()
    assert (count(module.encoder), count(module)) == (encoder, total)


def test_losses_by_hand():
    logits = torch.tensor([0.0, math.log(3)]).view(1, 1, 1, 2)  # pixels 1/2 and 3/4
    x = torch.tensor([1.0, 0.0]).view(1, 1, 1, 2)
    assert mse(logits, x).item() == pytest.approx((0.25 + 0.5625) / 2)
    assert bce(logits, x).item() == pytest.approx((math.log(2) + math.log(4)) / 2)
    images = torch.rand(2, 1, 16, 16).clamp(0.01, 0.99)
    assert dissimilarity(images.logit(), images).item() == pytest.approx(0.0, abs=1e-4)
    assert dissimilarity(images.logit(), 1 - images).item() > 0.5
    with pytest.raises(UserError, match="windows of 11x11 pixels; the images are 8x8"):
        dissimilarity(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8))


def test_gaussian_noise_has_its_mean_and_deviation_and_is_clipped():
    x = torch.full((1, 1, 400, 400), 0.1)
    noisy = gaussian_noise(x, mean=0.4, std=0.1)
    assert noisy.mean().item() == pytest.approx(0.5, abs=2e-3)
    assert noisy.std().item() == pytest.approx(0.1, abs=2e-3)
    strong = gaussian_noise(x, mean=0.5, std=2.0)
    assert (strong.min().item(), strong.max().item()) == (0.0, 1.0)


def test_salt_falls_on_whole_pixels_and_leaves_the_others():
    x = torch.rand(4, 3, 100, 100) * 0.9
    salted = salt(x, fraction=0.2)
    white = (salted == 1.0).all(dim=1)
    assert white.float().mean().item() == pytest.approx(0.2, abs=0.01)
    assert torch.equal(salted.permute(0, 2, 3, 1)[~white], x.permute(0, 2, 3, 1)[~white])


def test_grey_is_the_luma():
    x = torch.eye(3).view(3, 3, 1, 1)  # pure red, green and blue
    assert to_grey(x).flatten().tolist() == pytest.approx([0.299, 0.587, 0.114])


class Spy(nn.Module):
    """An encoder that keeps what it is given."""

    def __init__(self, latent_dim):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(latent_dim))
        self.seen = []

    def forward(self, x):
        self.seen.append(x.clone())
        return self.weight.expand(len(x), -1)


def test_the_target_is_clean_and_the_noise_the_same_in_every_validation_and_another_in_every_step():
    spy = Spy(16)
    module = DenoisingAutoencoder(encoder=spy)
    targets = []
    module.reconstruction_loss = lambda logits, x: targets.append(x) or logits.mean()
    module.log = lambda *_, **__: None
    x = torch.rand(2, 1, 28, 28)
    batch = (x, torch.zeros(2))
    for _ in range(2):
        module.training_step(batch, 0)
        module.validation_step(batch, 0)
    module.validation_step(batch, 1)
    first, held_out, second, again, other = spy.seen
    assert torch.equal(held_out, again)
    assert not torch.equal(held_out, other)
    assert not torch.equal(first, second)
    assert not any(torch.equal(given, x) for given in spy.seen)
    assert all(torch.equal(target, x) for target in targets)


def test_colours_are_guessed_from_grey():
    module = ColorizationAutoencoder().eval()
    x = torch.rand(2, 3, 32, 32)
    grey = module.corrupt(x)
    assert grey.shape == (2, 1, 32, 32)
    assert module.reconstruct(grey).shape == (2, 3, 32, 32)
    torch.testing.assert_close(module.reconstruct(x), module.reconstruct(grey))


@pytest.mark.parametrize("name", ["mse", "bce", "ssim"])
def test_a_plain_autoencoder_compares_with_what_it_was_given(name):
    module = Autoencoder(loss=name)
    assert module.training_step((torch.rand(2, 1, 28, 28), torch.zeros(2)), 0).requires_grad


def test_codes_and_images_of_a_wrong_shape_or_range_are_named():
    with pytest.raises(UserError, match=r"this Autoencoder needs \(n, 16\)"):
        Autoencoder().decode(torch.zeros(2, 4))
    with pytest.raises(UserError, match=r"needs images in \[0, 1\]"):
        Autoencoder().training_step((torch.rand(2, 1, 28, 28) * 255, torch.zeros(2)), 0)
    StateAutoencoder().training_step((torch.full((2, 2), -3.0), torch.zeros(2)), 0)
    with pytest.raises(UserError, match=r"the inputs are \[3\] .* pass --model.input_shape '\[3\]'"):
        StateAutoencoder().training_step((torch.zeros(2, 3), torch.zeros(2)), 0)
    with pytest.raises(UserError, match=r"input_shape is \[2, 3\]; it must be how many numbers a state has"):
        StateAutoencoder(input_shape=(2, 3))
    with pytest.raises(UserError, match="multiple of 8"):
        ColorizationAutoencoder((3, 28, 28))
    with pytest.raises(UserError, match="images of 3 channels, not 1"):
        ColorizationAutoencoder((1, 32, 32))
    with pytest.raises(UserError, match="1 strides for 2 layers"):
        ConvEncoder(strides=(2,))
    with pytest.raises(UserError, match="loss 'l1' is unknown"):
        Autoencoder(loss="l1")
    with pytest.raises(UserError, match="noise 'pepper' is unknown"):
        DenoisingAutoencoder(noise="pepper")
    with pytest.raises(UserError, match=r"share is 1\.5"):
        DenoisingAutoencoder(share=1.5)


def fitted(module, data, tmp_path, epochs):
    pl.seed_everything(0)
    trainer = quiet_trainer(max_epochs=epochs, default_root_dir=tmp_path)
    trainer.fit(module, data)
    return trainer.test(module, data, verbose=False)[0]


def small(cls, **options):
    shape = (1, 16, 16)
    return cls(
        image_shape=shape, latent_dim=8,
        encoder=ConvEncoder(shape, 8, (8, 16)), decoder=ConvDecoder(shape, 8, (16, 8)),
        optimizer=lambda p: torch.optim.Adam(p, lr=3e-3), **options,
    )  # fmt: skip


@pytest.mark.learning
def test_it_restores_held_out_digits(tmp_path):
    found = fitted(small(Autoencoder), DigitsDataModule(batch_size=32, image_size=16), tmp_path, 12)
    assert found["test/mse"] < 0.02  # the mean image: 0.069
    assert found["test/psnr"] > 17
    assert found["test/ssim"] > 0.7


@pytest.mark.learning
def test_it_removes_noise(tmp_path):
    data = DigitsDataModule(batch_size=32, image_size=16)
    module = small(DenoisingAutoencoder, mean=0.2, std=0.3)
    found = fitted(module, data, tmp_path, 12)
    x = torch.cat([batch[0] for batch in data.test_dataloader()])
    noisy = module.corrupt(x, torch.Generator().manual_seed(0))
    assert found["test/mse"] < 0.5 * (noisy - x).square().mean()
    # Given the clean image instead, it does worse: it has learned to take noise away.
    assert found["test/mse"] < 0.04


@pytest.mark.learning
def test_it_learns_states(tmp_path):
    data = StatesDataModule(num_states=4000, test_size=500, val_size=500)
    found = fitted(StateAutoencoder(optimizer=lambda p: torch.optim.Adam(p, lr=3e-3)), data, tmp_path, 3)
    variance = data.test_set.x.var(dim=0).mean().item()
    assert found["test/loss"] < 0.02 * variance
