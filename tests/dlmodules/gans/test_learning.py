"""What a variant must have learned after a few hundred steps on images whose answer is known."""

import pytest
import torch
from torch import nn

from dlmodules import ACGAN, CGAN, LSGAN, SNGAN, WGAN, WGANGP, InfoGAN
from tests.dlmodules.adversarial.test_adversarial_module import trainer

TINY = {"image_shape": (1, 2, 2), "latent_dim": 2}


class Grey(nn.Module):
    """Paints every pixel in one grey, whatever the noise; the grey is all that it learns."""

    def __init__(self):
        super().__init__()
        self.level = nn.Parameter(torch.tensor(0.2))

    def forward(self, z):
        return self.level * torch.ones(len(z), 1, 2, 2)


class Slope(nn.Module):
    """A linear critic."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 1)

    def forward(self, x):
        return self.layer(x.flatten(1)).squeeze(1)


def sgd(lr):
    return lambda parameters: torch.optim.SGD(parameters, lr=lr)


def adam(lr):
    return lambda parameters: torch.optim.Adam(parameters, lr=lr, betas=(0.5, 0.999))


def outputs(module):
    """What the discriminator says of the greys of the data and of the generator's first."""
    with torch.no_grad():
        return [module.discriminator(torch.full((1, 1, 2, 2), grey)).item() for grey in (0.8, 0.2)]


def greys(steps):
    images = torch.full((4 * steps, 1, 2, 2), 0.8)
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images), batch_size=4)


@pytest.mark.learning
@pytest.mark.parametrize("update", ["separate", "alternating", "simultaneous"])
def test_the_critic_finds_the_distance_within_its_slope(tmp_path, update):
    """Greys of 0.8 and 0.2 lie 0.6 apart in each of four pixels, which a slope of 0.01 sees as 4 * 0.01 * 0.6."""
    torch.manual_seed(0)
    module = WGAN(
        **TINY, generator=Grey(), discriminator=Slope(), update=update, optimizer_d=sgd(1e-3), optimizer_g=sgd(0)
    )
    trainer(tmp_path).fit(module, greys(60))
    real, fake = outputs(module)
    assert real - fake == pytest.approx(4 * 0.01 * 0.6, rel=0.05)


@pytest.mark.learning
def test_the_generator_comes_to_where_the_data_is_and_stays(tmp_path):
    """A critic that is raised on fake images too would send it on, past the greys of the data."""
    torch.manual_seed(0)
    fast = lambda parameters: torch.optim.RMSprop(parameters, lr=0.005, alpha=0.9)  # noqa: E731
    module = WGAN(
        **TINY, generator=Grey(), discriminator=Slope(), update="separate", optimizer_d=fast, optimizer_g=sgd(0.5)
    )
    trainer(tmp_path).fit(module, greys(600))
    assert module.generator.level.item() == pytest.approx(0.8, abs=0.05)


class Legible(nn.Module):
    """Lights the pixel of the label, and two more as bright as the codes."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, z, labels, codes):
        rows = torch.cat([nn.functional.one_hot(labels, 10), 0.5 + 0.5 * codes, torch.zeros(len(z), 4)], dim=1)
        return rows.view(-1, 1, 4, 4) + 0.0 * self.unused


@pytest.mark.learning
def test_the_discriminator_of_an_infogan_reads_label_and_codes(tmp_path):
    torch.manual_seed(0)
    fast = lambda p: torch.optim.Adam(p, lr=3e-3)  # noqa: E731
    module = InfoGAN((1, 4, 4), 2, width=0.25, generator=Legible(), read_std=None, optimizer_d=fast)
    images = torch.utils.data.TensorDataset(torch.rand(32 * 400, 1, 4, 4))
    trainer(tmp_path).fit(module, torch.utils.data.DataLoader(images, batch_size=32))
    latents = module.sample_latents(256)
    with torch.no_grad():
        _, labels, codes = module.discriminator(module.generate(latents))
    assert (labels.argmax(dim=1) == latents.labels).float().mean() > 0.98
    assert (codes - latents.codes).abs().mean() < 0.1  # their mean distance from 0 is 0.4
    assert module.discriminator.log_std.max() < -1.0  # it knows how well it reads; log 0.5 = -0.69 would be guessing


class WithoutLabel(nn.Module):
    """Darkens the pixels of the labels of what ``Legible`` paints."""

    def forward(self, x):
        return torch.cat([torch.zeros(len(x), 10), x.flatten(1)[:, 10:]], dim=1).view_as(x)


@pytest.mark.learning
def test_a_class_cannot_be_what_the_augmentation_destroys(tmp_path):
    torch.manual_seed(0)
    fast = lambda p: torch.optim.Adam(p, lr=3e-3)  # noqa: E731
    module = InfoGAN((1, 4, 4), 2, width=0.25, generator=Legible(), augment=WithoutLabel(), optimizer_d=fast)
    images = torch.utils.data.TensorDataset(torch.rand(32 * 200, 1, 4, 4))
    trainer(tmp_path).fit(module, torch.utils.data.DataLoader(images, batch_size=32))
    latents = module.sample_latents(256)
    with torch.no_grad():
        _, labels, codes = module.discriminator(module.generate(latents))
    assert (labels.argmax(dim=1) == latents.labels).float().mean() < 0.35
    assert (codes - latents.codes).abs().mean() < 0.15  # they are predicted from the images as they are


@pytest.mark.learning
def test_the_penalised_critic_finds_the_distance_by_its_slope(tmp_path):
    """The greys are 1.2 apart. Of -1.2 s + 10 (s - 1)^2 the slope s = 1 + 1.2 / 20 makes the least."""
    torch.manual_seed(0)
    module = WGANGP(**TINY, generator=Grey(), discriminator=Slope(), optimizer_d=sgd(0.02), optimizer_g=sgd(0))
    trainer(tmp_path).fit(module, greys(200))
    real, fake = outputs(module)
    assert real - fake == pytest.approx(1.06 * 1.2, rel=0.01)


@pytest.mark.learning
def test_the_penalised_critic_leads_the_generator_towards_the_data(tmp_path):
    """A slope of 1.06, half of it for each pixel, takes 24 steps of 0.01 from 0.2 to 0.7, once it points there."""
    torch.manual_seed(0)
    module = WGANGP(**TINY, generator=Grey(), discriminator=Slope(), optimizer_d=sgd(0.04), optimizer_g=sgd(0.01))
    trainer(tmp_path).fit(module, greys(120))
    assert 0.5 < module.generator.level.item() < 0.71


@pytest.mark.learning
def test_least_squares_lead_the_generator_to_the_data_and_the_discriminator_to_a_half(tmp_path):
    """Half is what squares say of what may be either; the logit of cross-entropy would be 0 there."""
    torch.manual_seed(0)
    module = LSGAN(**TINY, generator=Grey(), discriminator=Slope(), optimizer_d=sgd(0.2), optimizer_g=sgd(0.1))
    trainer(tmp_path).fit(module, greys(400))
    assert module.generator.level.item() == pytest.approx(0.8, abs=0.05)
    assert outputs(module)[0] == pytest.approx(0.5, abs=0.02)


@pytest.mark.learning
def test_a_spectral_discriminator_has_a_slope_of_one_where_more_is_asked_of_it(tmp_path):
    """The hinge asks for outputs 2 apart, but the greys are 1.2 apart; on images of 2x2 no filter is used twice."""
    torch.manual_seed(0)
    module = SNGAN(**TINY, width=0.1, generator=Grey(), optimizer_d=adam(0.01), optimizer_g=sgd(0))
    trainer(tmp_path).fit(module, greys(150))
    real, fake = outputs(module.eval())
    assert real - fake == pytest.approx(1.2, abs=0.05)


def stripes(steps):
    """Images of 4x4 and class k: row k has a grey between 0.7 and 0.9, the others are black."""
    labels = torch.arange(32 * steps) % 4
    images = torch.zeros(len(labels), 1, 4, 4)
    images[torch.arange(len(labels)), 0, labels] = 0.7 + 0.2 * torch.rand(len(labels), 1)
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images, labels), batch_size=32)


@pytest.mark.learning
@pytest.mark.parametrize("system", [CGAN, ACGAN])
def test_a_conditional_gan_makes_what_is_asked_and_like_the_data(tmp_path, system):
    torch.manual_seed(0)
    module = system(
        image_shape=(1, 4, 4), latent_dim=4, num_classes=4, width=0.1, optimizer_d=adam(3e-3), optimizer_g=adam(3e-3)
    )
    trainer(tmp_path).fit(module, stripes(300))
    labels = torch.arange(400) % 4
    with torch.no_grad():
        rows = module.eval().sample(400, labels, torch.Generator().manual_seed(0)).mean(dim=(1, 3))
    lit = torch.nn.functional.one_hot(labels, 4).bool()
    assert (rows.argmax(dim=1) == labels).float().mean() > 0.95
    assert rows[lit].mean().item() == pytest.approx(0.8, abs=0.1)
    assert rows[~lit].mean().item() < 0.1
